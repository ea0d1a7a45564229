package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const stranger, friend = 4711, 4712

// bed is a folder below a folder, with a socket on which the test listens and
// a file. The folders are not those of t.TempDir, whose names may be too long.
type bed struct{ above, dir, socket, file string }

func newBed(t *testing.T) bed {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	above, err := os.MkdirTemp("", "trust")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(above) })
	b := bed{above, filepath.Join(above, "d"), filepath.Join(above, "d", "s"), filepath.Join(above, "d", "f")}
	must(t, os.Chmod(above, 0o755), os.Mkdir(b.dir, 0o755), os.WriteFile(b.file, []byte("x"), 0o600))
	l, err := net.Listen("unix", b.socket)
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	must(t, os.Chmod(b.socket, 0o660))
	return b
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// give changes the owner, the group and the mode of a file.
func give(t *testing.T, path string, user, group int, mode fs.FileMode) {
	t.Helper()
	must(t, os.Lchown(path, user, group))
	if fi, err := os.Lstat(path); err == nil && fi.Mode()&fs.ModeSymlink == 0 {
		must(t, os.Chmod(path, mode))
	}
}

func (b bed) judge(t *testing.T, j Judge) (socket, file error) {
	t.Helper()
	f, err := os.Open(b.file)
	must(t, err)
	defer f.Close()
	conn, err := j.Dial(t.Context(), b.socket)
	if err == nil {
		_ = conn.Close()
	}
	if checked := j.Socket(b.socket); fmt.Sprint(checked) != fmt.Sprint(err) {
		t.Errorf("to dial says %v, to check %v", err, checked)
	}
	return err, j.File(f)
}

// What somebody else may replace is refused, whatever folder above it allows that.
func TestFolders(t *testing.T) {
	sticky := fs.ModeSticky
	for name, c := range map[string]struct {
		user, group int
		mode        fs.FileMode
		want        string // "" if believed
	}{
		"root's":                       {0, 0, 0o755, ""},
		"root's group may write":       {0, 0, 0o775, ""},
		"one's own":                    {friend, friend, 0o700, ""},
		"one's own group may write":    {friend, friend, 0o770, ""},
		"a group may write":            {0, stranger, 0o775, "every member of group 4711 may replace this"},
		"a group may write, sticky":    {0, stranger, 0o775 | sticky, ""},
		"all may write":                {0, 0, 0o777, "every user may replace this"},
		"all may write, sticky":        {0, 0, 0o777 | sticky, ""},
		"a stranger's":                 {stranger, 0, 0o755, "user 4711 may replace this"},
		"a stranger's, sticky":         {stranger, 0, 0o777 | sticky, "user 4711 may replace this"},
		"a stranger's, none may write": {stranger, 0, 0o555, "user 4711 may replace this"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			for _, folder := range []string{b.dir, b.above} {
				give(t, folder, c.user, c.group, c.mode)
				socket, file := b.judge(t, Of(friend))
				for what, err := range map[string]error{"socket": socket, "file": file} {
					var refused *Refusal
					if (c.want == "") != (err == nil) || c.want != "" && (!errors.As(err, &refused) || !strings.HasPrefix(err.Error(), c.want+" "+what)) {
						t.Errorf("%s: %v, want %q", what, err, c.want)
					}
				}
				give(t, folder, 0, 0, 0o755)
			}
		})
	}
}

// A folder of all in which each may replace only what is their own.
func TestEntriesOfStickyFolders(t *testing.T) {
	b := newBed(t)
	give(t, b.above, 0, 0, 0o777|fs.ModeSticky)
	link := filepath.Join(b.above, "link")
	must(t, os.Symlink("d", link))
	b.socket, b.file = filepath.Join(link, "s"), filepath.Join(link, "f")
	if socket, file := b.judge(t, Of(friend)); socket != nil || file != nil {
		t.Errorf("a link of root's: %v, %v", socket, file)
	}
	give(t, link, stranger, 0, 0)
	const want = "user 4711 may replace this"
	if socket, file := b.judge(t, Of(friend)); !strings.HasPrefix(fmt.Sprint(socket), want) || !strings.HasPrefix(fmt.Sprint(file), want) {
		t.Errorf("a stranger's link: %v, %v", socket, file)
	}
	if socket, file := b.judge(t, Of(stranger)); socket != nil || file != nil {
		t.Errorf("one's own link: %v, %v", socket, file)
	}
}

// Every folder counts that the kernel goes through, before a link and behind it.
func TestLinks(t *testing.T) {
	b, elsewhere := newBed(t), newBed(t)
	first := filepath.Join(elsewhere.dir, "first")
	must(t, os.Symlink(filepath.Join(b.above, "second"), first), os.Symlink("./d/../d", filepath.Join(b.above, "second")))
	by := bed{socket: filepath.Join(first, "s"), file: filepath.Join(first, "f")}
	if socket, file := by.judge(t, Of()); socket != nil || file != nil {
		t.Errorf("by links: %v, %v", socket, file)
	}
	for _, folder := range []string{b.dir, b.above, elsewhere.dir, elsewhere.above} {
		give(t, folder, 0, 0, 0o777)
		if socket, file := by.judge(t, Of()); socket == nil || file == nil {
			t.Errorf("%s is open: %v, %v", folder, socket, file)
		}
		give(t, folder, 0, 0, 0o755)
	}
	must(t, os.Remove(first), os.Symlink("first", first))
	if err := Of().Socket(by.socket); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a ring of links: %v", err)
	}
}

func TestSocketAndFile(t *testing.T) {
	for name, c := range map[string]struct {
		user, group  int
		mode         fs.FileMode
		socket, file string
	}{
		"root's":               {0, 0, 0o600, "", ""},
		"one's own":            {friend, friend, 0o660, "", ""},
		"a group's":            {0, stranger, 0o660, "", "every member of group 4711 may write to this file, its mode is 0660"},
		"all may write":        {0, 0, 0o666, "every user may write to this socket, its mode is 0666", "every user may write to this file, its mode is 0666"},
		"all may only write":   {0, 0, 0o602, "every user may write to this socket", "every user may write to this file"},
		"all may read":         {0, 0, 0o644, "", ""},
		"a stranger's":         {stranger, 0, 0o600, "this socket belongs to user 4711, who is neither root nor", "this file belongs to user 4711, who is neither root nor"},
		"a stranger's, to all": {stranger, 0, 0o444, "this socket belongs to user 4711", "this file belongs to user 4711"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			give(t, b.socket, c.user, c.group, c.mode)
			give(t, b.file, c.user, c.group, c.mode)
			socket, file := b.judge(t, Of(friend))
			for err, want := range map[error]string{socket: c.socket, file: c.file} {
				if (want == "") != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%v, want %q", err, want)
				}
			}
		})
	}
}

// What is opened counts, not what the name means by then; and what has no name.
func TestOpenFiles(t *testing.T) {
	b := newBed(t)
	give(t, b.file, stranger, 0, 0o644)
	f, err := os.Open(b.file)
	must(t, err)
	defer f.Close()
	must(t, os.Remove(b.file), os.WriteFile(b.file, nil, 0o600))
	if err := Of().File(f); err == nil || !strings.Contains(err.Error(), "belongs to user 4711") {
		t.Errorf("a file that was replaced: %v", err)
	}
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	for _, name := range []string{"/proc/self/fd/%d", "/dev/fd/%d"} {
		pipe, err := os.Open(fmt.Sprintf(name, r.Fd()))
		must(t, err)
		if err := Self().File(pipe); err != nil {
			t.Errorf("a pipe by %s: %v", name, err)
		}
		must(t, pipe.Close())
	}
}

// Outside of the namespace are root and strangers, and both look the same: the
// folders above are believed, a file or a link is not.
func TestUserNamespaces(t *testing.T) {
	b := newBed(t)
	inside := Judge{users: []int{0}, unmapped: stranger}
	give(t, b.dir, stranger, stranger, 0o755)
	if socket, file := b.judge(t, inside); socket != nil || file != nil {
		t.Errorf("below a folder of the machine's: %v, %v", socket, file)
	}
	give(t, b.dir, stranger, stranger, 0o777)
	if socket, file := b.judge(t, inside); socket == nil || file == nil {
		t.Errorf("all may write: %v, %v", socket, file)
	}
	give(t, b.dir, 0, 0, 0o755)
	give(t, b.above, stranger, 0, 0o755) // in a folder of all
	if socket, file := b.judge(t, inside); socket == nil || file == nil {
		t.Errorf("a stranger may have made it: %v, %v", socket, file)
	}
	give(t, b.above, 0, 0, 0o755)
	give(t, b.socket, stranger, 0, 0o660)
	give(t, b.file, stranger, 0, 0o600)
	if socket, file := b.judge(t, inside); socket == nil || file == nil {
		t.Errorf("itself is not known: %v, %v", socket, file)
	}
	for maps, want := range map[string]int{
		"         0          0 4294967295\n": -1, "0 1000 1\n1 100000 65536\n": 65534, "0 1000 1\n": 65534, "": 65534,
	} {
		read := func(path string) ([]byte, error) {
			if path == "/proc/self/uid_map" {
				return []byte(maps), nil
			}
			return []byte("65534\n"), nil
		}
		if got := unmapped(read); got != want {
			t.Errorf("with the map %q it is %d, want %d", maps, got, want)
		}
	}
}

// A socket that looks right and on which somebody else answers, as one that was
// put there between the look and the connection.
func TestPeer(t *testing.T) {
	b := newBed(t)
	path := filepath.Join(b.dir, "other")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err, unix.Bind(fd, &unix.SockaddrUnix{Name: path}), os.Chmod(path, 0o660))
	defer unix.Close(fd)
	must(t, as(stranger, func() error { return unix.Listen(fd, 8) }))
	if err := Of(friend).Socket(path); err != nil {
		t.Errorf("its file: %v", err)
	}
	conn, err := Of(friend).Dial(t.Context(), path)
	if conn != nil || !strings.HasPrefix(fmt.Sprint(err), "a process of user 4711 answers on this socket") {
		t.Errorf("got %v", err)
	}
	for _, j := range []Judge{Of(stranger), {[]int{0}, stranger}} {
		if conn, err := j.Dial(t.Context(), path); err != nil {
			t.Errorf("got %v", err)
		} else {
			must(t, conn.Close())
		}
	}
}

// as calls a function as another user, on a thread that ends with it.
func as(user int, fn func() error) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(user), ^uintptr(0)); errno != 0 {
			result <- errno
			return
		}
		result <- fn()
	}()
	return <-result
}

func TestNoSocket(t *testing.T) {
	b := newBed(t)
	if _, err := Of().Dial(t.Context(), b.dir+"/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := Self().And(stranger).Socket(b.socket); err != nil {
		t.Errorf("got %v", err)
	}
}
