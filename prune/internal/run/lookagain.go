package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
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
// labels off what only build history holds, until nothing has appeared since it
// looked that may need more. It waits between two looks. Where nothing has appeared
// since the run began there is nothing to put back.
func (x *Execution) lookAgain(ctx context.Context) error {
	settled, err := x.settled(ctx)
	if err != nil || settled {
		return err
	}
	return x.lookUntilSettled(ctx, pause)
}

// settled says whether all went as planned and what has appeared since the store was
// read before the deletions needs nothing of what was deleted. It says no wherever
// that takes more than a look at what has appeared.
func (x *Execution) settled(ctx context.Context) (bool, error) {
	if !x.asPlanned() || x.opts.NoGuard || len(x.opts.Sources) > 0 || !x.Watch.sees() || len(x.plan.Outcome.Orphans) > 0 || x.plan.MayExpire() {
		return false, nil
	}
	for _, d := range x.going() {
		x.sight.absent[d.Key()] = d.Target.Digest
	}
	prepared, written := x.Watch.news()
	made := make(map[string][]inventory.SnapshotKey, len(x.Batches))
	for _, b := range x.Batches {
		ns := x.sight.inv.Namespace(b.Namespace.Name)
		if ns == nil {
			return false, nil
		}
		keys, told, err := x.known(ns).NewSnapshots(ctx)
		if err != nil || !told {
			return false, err
		}
		made[ns.Name] = append(keys, prepared[ns.Name]...)
	}
	needed, err := x.need(ctx, made, written)
	return err == nil && !needed, err
}

// asPlanned says whether the run deleted every record that it was to delete, and
// nobody else any.
func (x *Execution) asPlanned() bool {
	going := x.going()
	return len(x.Deleted) == len(going) && (x.Watch == nil || x.Watch.deletions() == len(going))
}

func (x *Execution) lookUntilSettled(ctx context.Context, wait func(ctx context.Context, tries int) error) error {
	for look := 1; ; look++ {
		untaken, err := x.lookOnce(ctx)
		if err != nil {
			return err
		}
		needed, err := x.newcomersNeed(ctx)
		switch {
		case err != nil:
			return err
		case !needed:
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

// lookOnce looks at the whole store. What only history holds is known to this run
// alone; but that labels could not be taken off it is no reason to keep all the rest.
func (x *Execution) lookOnce(ctx context.Context) (untaken, err error) {
	x.Watch.news()
	x.sight = nil // two at a time would take too much memory
	rolls, err := x.callRolls(ctx)
	if err != nil {
		return nil, err
	}
	if lost := x.restorable(); len(lost) > 0 {
		seen, err := x.readWith(ctx, lost)
		if err != nil {
			return nil, err
		}
		restored, _, err := x.putBackInto(ctx, seen, lost, &x.plan.Policy, nil)
		if err != nil {
			return nil, err
		}
		x.Report.Restored = append(x.Report.Restored, restored...)
		for _, r := range restored {
			delete(seen.absent, [2]string{r.Namespace, r.Name})
		}
		x.sight = newSight(seen, rolls)
	}
	if untaken, err = x.unleaseOrphans(ctx); err != nil {
		return untaken, err
	}
	return untaken, x.beforeCollecting(ctx)
}

// sight is what the last look at the whole store saw. Against it a run tells what
// has appeared since, and whether that may need what is lost.
type sight struct {
	lostOnes
	// rolls are by namespace, and so are lists, which are made when they are needed.
	rolls map[string]*read.Roll
	lists map[string]*rules.Watchlist
}

func newSight(seen lostOnes, rolls map[string]*read.Roll) *sight {
	return &sight{lostOnes: seen, rolls: rolls, lists: make(map[string]*rules.Watchlist)}
}

func (x *Execution) callRolls(ctx context.Context) (map[string]*read.Roll, error) {
	rolls := make(map[string]*read.Roll, len(x.Batches))
	for _, b := range x.Batches {
		roll, err := read.CallRoll(ctx, x.Store, b.Namespace.Name)
		if err != nil {
			return nil, err
		}
		rolls[b.Namespace.Name] = &roll
	}
	return rolls, nil
}

// newcomersNeed says whether something has appeared since the last look, or since
// it was last asked, that may need what the run deleted and still holds: then it
// has to look at the whole store. It reads only what has appeared, and believes
// that it needs something wherever that cannot be told from this.
func (x *Execution) newcomersNeed(ctx context.Context) (bool, error) {
	if x.sight == nil {
		return false, nil
	}
	prepared, written := x.Watch.news()
	return x.need(ctx, prepared, written)
}

// need says whether something that has appeared may need what the run still holds,
// such as snapshots that were prepared and records that were written.
func (x *Execution) need(ctx context.Context, prepared map[string][]inventory.SnapshotKey, written map[string][]string) (bool, error) {
	for _, b := range x.Batches {
		ns := x.sight.inv.Namespace(b.Namespace.Name)
		if ns == nil {
			continue
		}
		needs, err := x.newcomersOf(ctx, ns, prepared[ns.Name])
		if err == nil && !needs {
			needs, err = x.writtenNeeds(store.InNamespace(ctx, ns.Name), ns, written[ns.Name])
		}
		if err != nil || needs {
			return needs, err
		}
	}
	return false, nil
}

// newcomersOf says that of the containers, leases and mounts of a namespace.
func (x *Execution) newcomersOf(ctx context.Context, ns *inventory.Namespace, prepared []inventory.SnapshotKey) (bool, error) {
	found, err := x.known(ns).Newcomers(ctx, prepared, x.opts.Now())
	switch {
	case err != nil:
		return false, err
	case found.Unclear:
		return true, nil
	case len(found.Uses) == 0:
		return false, nil
	case x.plan.MayExpire(): // what stays may depend on what is lost in many ways
		return true, nil
	}
	list := x.watchlist(ns)
	list.AddSnapshots(found.Snapshots)
	return list.Wanted(found.Uses), nil
}

func (x *Execution) known(ns *inventory.Namespace) read.Known {
	return read.Known{Store: x.Store, Options: x.opts.Reading(), Inventory: x.sight.inv, Namespace: ns, Roll: x.sight.rolls[ns.Name]}
}

// watchlist is that of a namespace at the last look.
func (x *Execution) watchlist(ns *inventory.Namespace) *rules.Watchlist {
	s := x.sight
	if s.lists[ns.Name] == nil {
		s.lists[ns.Name] = rules.NewWatchlist(ns, gc.ParseVersion(s.inv.Store.Version), func(name string) bool { return x.isHeld(ns.Name, name) })
	}
	return s.lists[ns.Name]
}

// isHeld says whether a record was lost at the last look, and is still held.
func (x *Execution) isHeld(ns, name string) bool {
	target, absent := x.sight.absent[[2]string{ns, name}]
	return absent && !x.released[[2]string{ns, target.String()}]
}

// mostKin bounds how many blobs are looked at because of one record.
const mostKin = 100

// writtenNeeds says whether one of the records that were written since has to do
// with a lost image: is it again, has it as a part, or is what it is about.
func (x *Execution) writtenNeeds(ctx context.Context, ns *inventory.Namespace, names []string) (bool, error) {
	for _, name := range names {
		if slices.ContainsFunc(x.Report.Restored, func(r Restored) bool { return r.Namespace == ns.Name && r.Name == name }) {
			continue // the run itself, to begin with
		}
		if x.isHeld(ns.Name, name) {
			return true, nil // it was deleted as somebody wrote it, or is back
		}
		image, err := x.Store.Images().Get(ctx, name)
		if errdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("looking up image %q in namespace %q: %w", name, ns.Name, err)
		}
		if len(inventory.LabelsOf(image.Labels)) > 0 {
			return true, nil // tied to others, or pinned
		}
		if needs, err := x.hasKin(ctx, x.watchlist(ns), image.Target.Digest); err != nil || needs {
			return needs, err
		}
	}
	return false, nil
}

// hasKin says whether a blob or one that it reaches belongs to a lost image.
func (x *Execution) hasKin(ctx context.Context, list *rules.Watchlist, target digest.Digest) (bool, error) {
	seen := map[digest.Digest]bool{target: true}
	for gray := []digest.Digest{target}; len(gray) > 0; gray = gray[1:] {
		if list.Kin(gray[0]) || len(seen) > mostKin {
			return true, nil
		}
		labels, known := list.Labels(gray[0])
		if !known {
			info, err := x.Store.Content().Info(ctx, gray[0])
			if IgnoreNotFound(err) != nil {
				return false, fmt.Errorf("looking up blob %s: %w", gray[0], err)
			}
			labels = inventory.LabelsOf(info.Labels)
		}
		below, _ := list.Below(labels)
		for _, dgst := range below {
			if !seen[dgst] {
				seen[dgst] = true
				gray = append(gray, dgst)
			}
		}
	}
	return false, nil
}
