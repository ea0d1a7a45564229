package store

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// OpenError says in one sentence why a store could not be opened, and what to
// do about it. Nothing was created or changed.
//
// It matches one of containerd's errdefs with errors.Is:
//   - ErrInvalidArgument: the address cannot name a containerd's socket.
//   - ErrNotFound: the socket or directory does not exist.
//   - ErrPermissionDenied: this user may not access it.
//   - ErrUnavailable: nothing answers there, or another process holds the lock.
//   - ErrFailedPrecondition: it is not a store that this package can work on.
type OpenError struct {
	// Kind is the kind of store that was asked for.
	Kind StoreKind
	// Location is the socket's path or the root directory.
	Location string
	// Problem is what is wrong, without a full stop.
	Problem string
	// Hint is what to do about it, or empty.
	Hint string
	// Err is the cause: one of the errdefs above, wrapped around what the
	// system or the server said.
	Err error
}

// Error returns the sentence. The location is quoted, so that nothing in it
// can reach a terminal raw.
func (e *OpenError) Error() string {
	var b strings.Builder
	if e.Kind == StoreRoot {
		fmt.Fprintf(&b, "cannot open the containerd root %q: ", e.Location)
	} else {
		fmt.Fprintf(&b, "cannot reach containerd at %q: ", e.Location)
	}
	b.WriteString(e.Problem)
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

// Cause marks what the system said with the errdefs kind that callers
// match; cause may be nil.
func Cause(kind, cause error) error {
	if cause == nil {
		return kind
	}
	return fmt.Errorf("%w: %w", kind, cause)
}

// DiskErrno returns what a disk answered in this process, if that is the cause
// of an error; of several answers the one that leaves least to be done.
func DiskErrno(err error) (syscall.Errno, bool) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.EROFS, syscall.EDQUOT, syscall.ENOSPC} {
		if errors.Is(err, errno) {
			return errno, true
		}
	}
	return 0, false
}
