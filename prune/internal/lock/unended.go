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
type UnendedError struct{ Within time.Duration }

func (e *UnendedError) Error() string {
	return fmt.Sprintf("containerd did not end its garbage collection within %s, because a snapshotter does not answer; what is still there goes once it answers again", e.Within)
}

func isUnended(err error) bool {
	var unended *UnendedError
	return errors.As(err, &unended)
}

// deleteWithin deletes a lease. A collection that is asked for by it is waited
// for as long as the locker may.
func (l Locker) deleteWithin(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	if l.CollectTime == 0 {
		return l.Manager.Delete(ctx, lease, opts...)
	}
	within, cancel := context.WithTimeout(ctx, l.CollectTime)
	defer cancel()
	err := l.Manager.Delete(within, lease, opts...)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return &UnendedError{Within: l.CollectTime}
	}
	return err
}
