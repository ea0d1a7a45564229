package privatefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// contents reads all files of a folder, with their rights.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files[e.Name()] += " " + string(data)
		}
	}
	return files
}

func TestWrite(t *testing.T) {
	// Whatever the user's mask is, and whatever was there.
	defer syscall.Umask(syscall.Umask(0))
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(filepath.Join(dir, "old"), []byte("old and longer"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "old"} {
		if err := Write(filepath.Join(dir, name), write("new")); err != nil {
			t.Error(err)
		}
	}
	if err := Write(path, write("newer")); err != nil {
		t.Error(err)
	}
	want := map[string]string{"file": "-rw------- newer", "old": "-rw------- new"}
	if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is no regular file is neither followed nor replaced.
func TestWriteRefuses(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(elsewhere, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, err := range map[string]error{
		"link":     os.Symlink(elsewhere, at("link")),
		"dangling": os.Symlink(filepath.Join(dir, "none"), at("dangling")),
		"folder":   os.Mkdir(at("folder"), 0o755),
		"pipe":     syscall.Mkfifo(at("pipe"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
		before := contents(t, dir)
		var refused *Refused
		if err := Write(at(name), write("x")); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
			t.Errorf("%s: (-before +after):\n%s", name, diff)
		}
	}
	if data, err := os.ReadFile(elsewhere); err != nil || string(data) != "precious" {
		t.Errorf("%q, %v", data, err)
	}
}

// A failure leaves what was there, and nothing else.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Write(path, func(w io.Writer) error {
		return errors.Join(write("half")(w), io.ErrClosedPipe)
	})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(map[string]string{"file": "-rw------- old"}, contents(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := Write(filepath.Join(dir, "none", "file"), write("x")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// What can be known is known before, and looking leaves nothing.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old"), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	for name, want := range map[string]error{"old": nil, "new": nil, "none/file": fs.ErrNotExist, "old/file": syscall.ENOTDIR} {
		if err := Check(filepath.Join(dir, name)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}
