package daemon

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// longestSocket is how long a socket's path may be (sun_path of unix(7)),
// less the suffix that containerd adds for ttrpc.
const longestSocket = 107 - len(".ttrpc")

const dirPrefix = "ctrd"

// makeDir makes a folder with a short path below parent and locks it for as
// long as the returned file is open. A long TMPDIR is passed over for /tmp.
// Folders of tests that died before their cleanup are removed first.
func makeDir(parent string) (string, *os.File, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if len(address(filepath.Join(parent, dirPrefix+"1234567890"))) > longestSocket {
		parent = "/tmp"
	}
	sweep(parent)
	dir, err := os.MkdirTemp(parent, dirPrefix)
	if err != nil {
		return "", nil, err
	}
	if err := errors.Join(os.Chmod(dir, 0o711), os.Mkdir(filepath.Dir(address(dir)), 0o711)); err != nil {
		return "", nil, err
	}
	owner, err := own(dir)
	return dir, owner, err
}

// InMemory returns a folder in memory for [Options.Dir] if there is one with
// room for large stores, else nothing, which is the default.
func InMemory() string {
	const dir, room = "/dev/shm", 2 << 30
	var fs unix.Statfs_t
	if unix.Statfs(dir, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return dir
}

// address is in a folder of its own, which a pod can have without all the rest.
func address(dir string) string { return filepath.Join(dir, "run", "c.sock") }

func ownerFile(dir string) string { return filepath.Join(dir, "owner") }

// own takes the lock that marks a folder as in use. The kernel drops it when
// this process dies. A daemon does not inherit it. The file gets its name when
// it is locked: before, another process would take it for a dead one's.
func own(dir string) (*os.File, error) {
	fresh := ownerFile(dir) + ".new"
	f, err := os.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(tryLock(f), os.Rename(fresh, ownerFile(dir))); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// inherit takes the lock of a folder whose process is dead.
func inherit(dir string) (*os.File, error) {
	f, err := os.OpenFile(ownerFile(dir), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func tryLock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// Sweep removes what tests that are dead have left, and ends what still runs of
// it. The next test does so, too; this is for when there is none.
func Sweep() {
	for _, parent := range []string{os.TempDir(), "/tmp", "/dev/shm"} {
		sweep(parent)
	}
}

// sweep removes the folders below parent whose test process is dead: one that
// timed out or was killed ran no cleanup.
func sweep(parent string) {
	files, err := filepath.Glob(ownerFile(filepath.Join(parent, dirPrefix+"*")))
	if err != nil {
		return // the pattern is malformed; nothing was left by us there
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		owner, err := inherit(dir)
		if err != nil {
			continue // in use, or another user's
		}
		// What cannot be removed now is tried again by the next test.
		_, _ = wipe(dir)
		owner.Close()
	}
}
