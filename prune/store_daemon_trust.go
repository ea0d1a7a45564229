package prune

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/containerd/errdefs"
)

// worldWritable is the right of all others to write, which is what it takes to
// connect to a socket (unix(7)), and to replace a file in a folder.
const worldWritable = 0o002

// daemonAccept ends the hints of refusals that can be overruled.
const daemonAccept = "or accept it with --allow-insecure-socket"

// daemonTrusted refuses a socket that somebody else controls: who connects to
// it, or answers on it, can do anything on this machine, or see and say
// anything about its images.
func daemonTrusted(path string, fi fs.FileInfo, user int) error {
	if fi.Mode().Perm()&worldWritable != 0 {
		return daemonError(path, fmt.Sprintf("every user may write to this socket, its mode is %04o", fi.Mode().Perm()),
			"take that right away with chmod o-w, "+daemonAccept, errdefs.ErrPermissionDenied)
	}
	if owner, ok := daemonOwner(fi); ok && owner != 0 && owner != user {
		return daemonError(path, fmt.Sprintf("this socket belongs to user %d, who is neither root nor the one who runs this", owner),
			"run as that user, "+daemonAccept, errdefs.ErrPermissionDenied)
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return daemonError(path, "the socket cannot be looked at", "", storeCause(errdefs.ErrUnavailable, err))
	}
	if err := daemonFixed(path, path); err != nil {
		return err
	}
	return daemonFixed(path, target)
}

// daemonFixed refuses a path of which every user may replace a part: a folder
// above it is writable by all and does not say that only the owners of what is
// in it may do that (the sticky bit, inode(7)).
func daemonFixed(socket, path string) error {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err != nil {
			return daemonError(socket, "the folder of the socket cannot be looked at", "", storeCause(errdefs.ErrUnavailable, err))
		}
		if fi.Mode().Perm()&worldWritable != 0 && fi.Mode()&fs.ModeSticky == 0 {
			return daemonError(socket, fmt.Sprintf("every user may replace this socket, for the mode of %q is %04o", dir, fi.Mode().Perm()),
				"take that right away with chmod o-w, "+daemonAccept, errdefs.ErrPermissionDenied)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// daemonOwner returns the user ID of a file's owner.
func daemonOwner(fi fs.FileInfo) (int, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(st.Uid), true
}
