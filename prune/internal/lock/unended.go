package lock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

// UnendedError says that containerd did not end a collection in time. It has
// deleted the lease that asked for it. What takes so long is a snapshotter that is
// to remove something, in this collection or in one that containerd has begun by
// itself before: in the latter case nothing is collected until it answers.
type UnendedError struct {
	// Snapshotter is the one that does not answer; empty if none can be asked.
	Snapshotter string
	Within      time.Duration
}

func (e *UnendedError) Error() string {
	why := "a snapshotter does not answer"
	if e.Snapshotter != "" {
		why = fmt.Sprintf("snapshotter %q does not answer", e.Snapshotter)
	}
	return fmt.Sprintf("containerd did not end its garbage collection within %s, because %s; what is still there goes once it answers again", e.Within, why)
}

// IsUnended says whether an error is that of a collection that did not end in time.
func IsUnended(err error) bool {
	var unended *UnendedError
	return errors.As(err, &unended)
}

// deleteWatched deletes a lease. A collection that is asked for by it is waited
// for until the locker finds that it hangs.
func (l Locker) deleteWatched(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	if l.Hangs == nil || len(opts) == 0 {
		return l.Manager.Delete(ctx, lease, opts...)
	}
	within, cancel := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if err := l.Hangs(within); err != nil {
			cancel(err)
		}
	}()
	err := l.Manager.Delete(within, lease, opts...)
	cancel(nil)
	<-watched
	if hung := context.Cause(within); err != nil && ctx.Err() == nil && IsUnended(hung) {
		return hung
	}
	return err
}
