package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/containerd/containerd/v2/plugins"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// roomToGuard is less than what guards a run takes in the database and in the
// content store.
const roomToGuard = 64 << 10

// TakesNothing asks the file systems of the server's content store and database, if
// these are certain to be what this process sees.
func (s *daemonStore) TakesNothing(ctx context.Context) (why syscall.Errno, ok bool) {
	dir, err := s.ContentDir(ctx)
	if err != nil { // a server may have no UUID because it could not write one
		root, err := s.contentRoot(ctx)
		if err != nil {
			return 0, false
		}
		if dir, ok = peerDir(ctx, s.path, root); !ok {
			return 0, false
		}
	}
	for _, dir := range []string{filepath.Dir(metadataOf(dir)), dir} {
		if why, ok := takesNothing(dir); ok {
			return why, true
		}
	}
	return 0, false
}

// metadataOf returns where a server whose content directory this is keeps its
// database.
func metadataOf(contentDir string) string {
	return filepath.Join(store.RootPath(filepath.Dir(contentDir), plugins.MetadataPlugin.String(), "bolt"), "meta.db")
}

// takesNothing says why a disk takes nothing, by writing a file without a name
// that is gone when it is closed: what a file system tells of its free blocks
// includes those that it keeps for others, or for itself.
func takesNothing(dir string) (why syscall.Errno, ok bool) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return store.DiskErrno(err)
	}
	file := os.NewFile(uintptr(fd), dir)
	_, err = file.Write(make([]byte, roomToGuard))
	if err == nil {
		err = file.Sync()
	}
	return store.DiskErrno(errors.Join(err, file.Close()))
}

// peerDir returns the content directory of the process that listens on a socket,
// as seen through its root, if it is a containerd of which this is the root: it
// has the database there open.
func peerDir(ctx context.Context, socket, contentRoot string) (dir string, ok bool) {
	pid, err := peerOf(ctx, socket)
	if err != nil || pid <= 0 { // 0: it is of another PID namespace
		return "", false
	}
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	dir = filepath.Join(proc, "root", contentRoot)
	db, err := os.Stat(metadataOf(dir))
	if err != nil {
		return "", false
	}
	open, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return "", false
	}
	for _, fd := range open {
		file, err := os.Stat(filepath.Join(proc, "fd", fd.Name()))
		if err == nil && os.SameFile(db, file) {
			return dir, true
		}
	}
	return "", false
}

// peerOf returns the process that listens on a socket.
func peerOf(ctx context.Context, socket string) (pid int, err error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, fmt.Errorf("connecting to %q: %w", socket, err)
	}
	defer func() { _ = conn.Close() }() // nothing was written
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("looking at the connection to %q: %w", socket, err)
	}
	var peer *unix.Ucred
	var failure error
	err = raw.Control(func(fd uintptr) { peer, failure = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err == nil {
		err = failure
	}
	if err != nil {
		return 0, fmt.Errorf("asking who listens on %q: %w", socket, err)
	}
	return int(peer.Pid), nil
}
