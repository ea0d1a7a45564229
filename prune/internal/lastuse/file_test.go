package lastuse

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

const store = "9b1f6c1e-5f3b-4f0f-8a41-8f5f0f4f7c11"

// folder is one that nobody else could replace, as those of t.TempDir may not be.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := trust.Self().File(must(os.Open(dir))); err != nil {
		t.Skipf("the folder of this test's files is not believed: %v", err)
	}
	return dir
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// newFile is one in a folder that is there.
func newFile(t *testing.T) *File {
	t.Helper()
	f := must(In(filepath.Join(folder(t), "state"), store, trust.Self()))
	if err := f.Create(); err != nil {
		t.Fatal(err)
	}
	return f
}

// sample is a log with something of everything.
func sample() *Log {
	l := NewLog()
	l.Merge(Look{At: noon.Add(-day), Images: map[Key]string{web: "", db: "container \x1b[31m"}})
	l.Merge(Look{At: noon.Add(-time.Hour), Images: map[Key]string{web: `container web-1`}})
	l.Watched(at(-time.Hour))
	return l
}

func (f *File) put(t *testing.T, l *Log) {
	t.Helper()
	if err := f.Update(t.Context(), func(*Log) *Log { return l }); err != nil {
		t.Fatal(err)
	}
}

// says compares what a file says with what a log knows.
func (f *File) says(t *testing.T, want *Log) {
	t.Helper()
	got, err := f.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wanted, text := must(want.encode(store)), must(got.encode(store))
	if diff := cmp.Diff(string(wanted), string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// names lists the folder with the modes of its files.
func (f *File) names(t *testing.T) (all []string) {
	t.Helper()
	for _, e := range must(os.ReadDir(f.dir)) {
		all = append(all, must(e.Info()).Mode().String()+" "+e.Name())
	}
	return all
}

// What was written is read again, for its owner only, and nothing else is left.
func TestFileKeepsAll(t *testing.T) {
	f := newFile(t)
	defer syscall.Umask(syscall.Umask(0))
	f.put(t, sample())
	f.says(t, sample())
	if diff := cmp.Diff([]string{"-rw------- use.json"}, f.names(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if mode := must(os.Stat(f.dir)).Mode().Perm(); mode != 0o700 {
		t.Errorf("the folder has mode %o", mode)
	}
}

// Nothing is created for who only reads or adds.
func TestNoFolder(t *testing.T) {
	dir := folder(t)
	f := must(In(dir, store, trust.Self()))
	_, err := f.Load(t.Context())
	update := f.Update(t.Context(), func(l *Log) *Log { return l })
	if !errors.Is(err, ErrNoFolder) || !errors.Is(update, ErrNoFolder) {
		t.Errorf("got %v and %v", err, update)
	}
	if left := must(os.ReadDir(dir)); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// An ID that is no plain name does not become a path.
func TestStoreIDsAsFolders(t *testing.T) {
	for _, id := range []string{"", ".", "..", "../other", "a/b", ".hidden", "a\x00b", strings.Repeat("a", 129)} {
		if _, err := In("/var/lib/ctr-prune", id, trust.Self()); err == nil {
			t.Errorf("%q is accepted", id)
		}
	}
}

// What cannot be believed is set aside, told of, and begun anew; what only reads
// tells of it and leaves it there.
func TestDamagedFileIsSetAside(t *testing.T) {
	whole := string(must(sample().encode(store)))
	stranger := func(path string) error { return os.Chown(path, 4711, 0) }
	for name, damage := range map[string]func(path string) error{
		"empty":         func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"cut off":       func(path string) error { return os.WriteFile(path, []byte(whole[:len(whole)/2]), 0o600) },
		"zeros":         func(path string) error { return os.Truncate(path, 0) },
		"more after it": func(path string) error { return os.WriteFile(path, []byte(whole+whole), 0o600) },
		"another store": func(path string) error { return os.WriteFile(path, must(sample().encode("other")), 0o600) },
		"a later version": func(path string) error {
			return os.WriteFile(path, []byte(strings.Replace(whole, `"version":1`, `"version":2`, 1)), 0o600)
		},
		"a key twice": func(path string) error {
			return os.WriteFile(path, []byte(strings.Replace(whole, `"version":1`, `"version":1,"version":1`, 1)), 0o600)
		},
		"an image twice": func(path string) error {
			entry := whole[strings.Index(whole, "[")+1 : strings.Index(whole, "},{")+1]
			return os.WriteFile(path, []byte(strings.Replace(whole, "[", "["+entry+",", 1)), 0o600)
		},
		"too large": func(path string) error { return os.Truncate(path, maxBytes+1) },
		"a link": func(path string) error {
			return errors.Join(os.Rename(path, path+".real"), os.Symlink(path+".real", path))
		},
		"a folder":      func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"a pipe":        func(path string) error { return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600)) },
		"not its owner": stranger,
		"for all":       func(path string) error { return os.Chmod(path, 0o666) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFile(t)
			f.put(t, sample())
			if err := damage(f.path(fileName)); err != nil {
				t.Skip(err)
			}
			var damaged *DamagedError
			l, err := f.Load(t.Context())
			if !errors.As(err, &damaged) || l.Len() != 0 || !l.View().Since(noon).IsZero() {
				t.Errorf("reading knows of %d images: %v", l.Len(), err)
			}
			began := NewLog()
			began.Watched(at(0))
			err = f.Update(t.Context(), func(l *Log) *Log {
				if l.Len() > 0 {
					t.Error("something of it is believed")
				}
				return began
			})
			if !errors.As(err, &damaged) {
				t.Errorf("writing: %v", err)
			}
			f.says(t, began)
			if _, err := os.Lstat(f.path(damagedName)); err != nil {
				t.Errorf("it was not set aside: %v", err)
			}
		})
	}
}

// A folder that others may write to is neither believed nor written to.
func TestFolderOfOthers(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"for all":       func(dir string) error { return os.Chmod(dir, 0o777) },
		"not its owner": func(dir string) error { return os.Chown(dir, 4711, 0) },
		"above it":      func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
	} {
		f := newFile(t)
		f.put(t, sample())
		if err := spoil(f.dir); err != nil {
			t.Skip(err)
		}
		var refused *trust.Refusal
		l, err := f.Load(t.Context())
		update := f.Update(t.Context(), func(*Log) *Log { t.Error("it was believed"); return NewLog() })
		if !errors.As(err, &refused) || !errors.As(update, &refused) || l.Len() > 0 {
			t.Errorf("%s: got %d images, %v and %v", name, l.Len(), err, update)
		}
	}
}

// If the new file cannot be written, the old one stays and the log is as it was.
func TestUnwritable(t *testing.T) {
	t.Run("file size limit", func(t *testing.T) {
		f := newFile(t)
		f.put(t, sample())
		if err := os.Mkdir(f.path(tempName), 0o700); err != nil { // it is in the way
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(f.path(tempName), "x"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.Update(t.Context(), func(*Log) *Log { return NewLog() }); err == nil {
			t.Error("nothing is told")
		}
		f.says(t, sample())
	})
	t.Run("full disk", func(t *testing.T) {
		f := onDisk(t, "size=64k")
		f.put(t, sample())
		big := sample()
		for i := range 2000 {
			big.Note(Key{strings.Repeat("n", 50), web.Target}, Use{noon.Add(time.Duration(i)), ""})
			big.Note(Key{strings.Repeat("n", 50) + string(rune('a'+i%26)) + strings.Repeat("x", i/26), web.Target}, Use{noon, ""})
		}
		if err := f.Update(t.Context(), func(*Log) *Log { return big }); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("got %v", err)
		}
		f.says(t, sample())
		if diff := cmp.Diff([]string{"-rw------- use.json"}, f.names(t)); diff != "" {
			t.Errorf("left on the full disk (-want +got):\n%s", diff)
		}
		f.put(t, sample()) // there is room for that
	})
	t.Run("read-only", func(t *testing.T) {
		f := onDisk(t, "size=64k")
		f.put(t, sample())
		if err := syscall.Mount("", filepath.Dir(filepath.Dir(f.dir)), "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		if err := f.Update(t.Context(), func(*Log) *Log { return NewLog() }); !errors.Is(err, syscall.EROFS) {
			t.Errorf("got %v", err)
		}
		f.says(t, sample())
	})
}

// onDisk is a file on a small disk of its own.
func onDisk(t *testing.T, options string) *File {
	t.Helper()
	dir := folder(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,"+options); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	f := must(In(filepath.Join(dir, "state"), store, trust.Self()))
	if err := f.Create(); err != nil {
		t.Fatal(err)
	}
	return f
}

// Those who write at the same time lose nothing of each other.
func TestWritersTogether(t *testing.T) {
	f := newFile(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			err := f.Update(t.Context(), func(l *Log) *Log {
				l.Note(Key{"n" + string(rune('a'+i)), web.Target}, Use{noon, "container c"})
				return l
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if l := must(f.Load(t.Context())); l.Len() != 20 {
		t.Errorf("%d of 20 are known", l.Len())
	}
}

// Somebody who does not let go is not waited for after the context has ended.
func TestLockedOut(t *testing.T) {
	f := newFile(t)
	dir := must(os.Open(f.dir))
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Update(ctx, func(l *Log) *Log { return l }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// FuzzDecode: whatever is in the file, it is read whole or refused, and what was
// read is written alike.
func FuzzDecode(f *testing.F) {
	f.Add(must(sample().encode(store)))
	f.Add([]byte(`{"version":1,"store":"` + store + `","targets":[{"namespace":"a","digest":"sha256:","seen":"0001-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := decode(text, store)
		if err != nil {
			return
		}
		written, err := l.encode(store)
		if err != nil {
			t.Skip(err) // a year that has no form in JSON
		}
		again, err := decode(written, store)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(written), string(must(again.encode(store)))); diff != "" {
			t.Error(diff)
		}
	})
}
