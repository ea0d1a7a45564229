package run

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/containers"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// MaxLooks bounds how often a run looks again because containers keep
// appearing. After the last look, whichever that is, there is a moment in which
// one may appear unseen.
const MaxLooks = 8

// FirstPause is how long a run waits before it tries something again; each
// further time it waits twice as long.
const FirstPause = 100 * time.Millisecond

// pause waits before another try, of which there were so many.
func pause(ctx context.Context, tries int) error {
	timer := time.NewTimer(FirstPause << (tries - 1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lookAgain puts back what something needs by now and takes the snapshot
// labels off what only build history holds, until no container has appeared
// since it looked. It waits between two looks.
func (x *Execution) lookAgain(ctx context.Context) error { return x.lookUntilSettled(ctx, pause) }

func (x *Execution) lookUntilSettled(ctx context.Context, wait func(ctx context.Context, tries int) error) error {
	for look := 1; ; look++ {
		settled, untaken, err := x.lookOnce(ctx)
		switch {
		case err != nil:
			return err
		case settled:
			x.fail(cause.CodeLabelsLeft, untaken)
			return nil
		case look == MaxLooks:
			x.fail(cause.CodeLabelsLeft, untaken)
			x.fail(cause.CodeKeepAppearing, fmt.Errorf("containers kept appearing: the run checked %d times what they need and then stopped; a container that has just appeared may lack its image until it is pulled again", look))
			return nil
		}
		if err := wait(ctx, look); err != nil {
			return fmt.Errorf("waiting to look again: %w", err)
		}
	}
}

// lookOnce says whether no container has appeared meanwhile. What only history
// holds is known to this run alone; but that labels could not be taken off it is
// no reason to keep all the rest.
func (x *Execution) lookOnce(ctx context.Context) (settled bool, untaken, err error) {
	x.Watch.reset()
	seen, err := x.appeared(ctx)
	if err != nil {
		return false, nil, err
	}
	restored, _, err := x.putBack(ctx, x.restorable(), &x.plan.Policy, nil)
	if err != nil {
		return false, nil, err
	}
	x.Report.Restored = append(x.Report.Restored, restored...)
	if untaken, err = x.unleaseOrphans(ctx); err != nil {
		return false, untaken, err
	}
	if err := x.beforeCollecting(ctx); err != nil {
		return false, untaken, err
	}
	x.seen, err = x.appeared(ctx)
	if err != nil {
		return false, untaken, err
	}
	for key, identity := range x.seen {
		if !key.lease && seen[key] != identity {
			return false, untaken, nil
		}
	}
	return true, untaken, nil
}

// appearance is a container or a lease of a namespace.
type appearance struct {
	namespace, id string
	lease         bool
}

// appeared lists the containers and leases of the namespaces of the run, with what
// tells one from a later one of the same ID.
func (x *Execution) appeared(ctx context.Context) (map[appearance]string, error) {
	found := make(map[appearance]string)
	for _, b := range x.Batches {
		ns := b.Namespace.Name
		ctx := store.InNamespace(ctx, ns)
		containers, err := store.InParts(ctx, "id", x.Store.Containers().List)
		if err != nil {
			return nil, fmt.Errorf("listing the containers of namespace %q: %w", ns, err)
		}
		for _, c := range containers {
			found[appearance{ns, c.ID, false}] = identity(c)
		}
		leases, err := store.InParts(ctx, "id", x.Store.Leases().List)
		if err != nil {
			return nil, fmt.Errorf("listing the leases of namespace %q: %w", ns, err)
		}
		for _, l := range leases {
			found[appearance{ns, l.ID, true}] = l.CreatedAt.String()
		}
	}
	return found, nil
}

func identity(c containers.Container) string {
	return fmt.Sprint(c.CreatedAt.UnixNano(), c.UpdatedAt.UnixNano(), c.Image, c.SnapshotKey)
}
