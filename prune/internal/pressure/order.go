package pressure

import (
	"cmp"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// item is one place of the order: an image, or a run whose grace ends.
type item struct {
	bunch *rules.Bunch
	grace string
	// roots are its records or leases.
	roots []graph.Node
	// last says that it goes before its time, because a disk is critical.
	last bool
	// used is from when on nobody has used it, as far as is known, and seen when it
	// was first seen.
	used, seen time.Time
}

// ripe are the records that may go although no disk is critical; nil if that is so of
// all that may go.
type ripe map[[2]string]bool

// order lists what may go, what goes first being the first: graces, the oldest
// first, then images by [compare]. Bunches get their ranks; those of one rank follow
// each other.
func order(graces []item, spaces []*rules.Bunches, policy rules.Policy, ripe ripe, now time.Time) []item {
	var images []item
	byBunch := make(map[*rules.Bunch]item)
	for _, space := range spaces {
		for _, bunch := range space.All {
			it := imageItem(bunch, policy, ripe, now)
			byBunch[bunch] = it
			images = append(images, it)
		}
	}
	slices.SortFunc(images, func(a, b item) int {
		return cmp.Or(compare(leading(byBunch, a), leading(byBunch, b)), about(a)-about(b), compare(a, b))
	})
	for i := range images {
		images[i].bunch.Level = len(graces) + i + 1
		if subject := images[i].bunch.Subject; subject != nil { // it comes right after it
			images[i].bunch.Level = subject.Level
		}
	}
	for _, space := range spaces {
		space.Rank()
	}
	slices.SortStableFunc(images, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.bunch.Rank, b.bunch.Rank), cmp.Compare(a.bunch.Level, b.bunch.Level))
	})
	// Whatever goes together with something of the last tier is of it.
	for i := range slices.Backward(images) {
		images[i].last = images[i].last || i+1 < len(images) && images[i+1].bunch.Rank == images[i].bunch.Rank && images[i+1].last
	}
	return append(graces, images...)
}

// leading is what an image goes with: a signature has no place of its own.
func leading(all map[*rules.Bunch]item, it item) item {
	if it.bunch.Subject != nil {
		return all[it.bunch.Subject]
	}
	return it
}

func about(it item) int {
	if it.bunch.Subject != nil {
		return 1
	}
	return 0
}

// compare orders images: those of the last tier come last, dangling ones first,
// then what was not used for longest, then what was seen first, then names.
func compare(a, b item) int {
	return cmp.Or(
		number(a.last)-number(b.last),
		number(b.bunch.Dangling)-number(a.bunch.Dangling),
		a.used.Compare(b.used),
		a.seen.Compare(b.seen),
		cmp.Compare(a.bunch.Namespace, b.bunch.Namespace),
		cmp.Compare(a.bunch.Going[0].Name, b.bunch.Going[0].Name),
	)
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// imageItem makes an item of an image. An age that cannot be read, and a time that
// is still to come, count as now.
func imageItem(bunch *rules.Bunch, policy rules.Policy, ripe ripe, now time.Time) item {
	it := item{bunch: bunch, used: bunch.Born}
	if it.used.IsZero() || it.used.After(now) {
		it.used = now
	}
	it.seen = it.used
	for _, d := range bunch.Going {
		it.roots = append(it.roots, graph.ImageNode(d.Namespace, d.Name))
		it.last = it.last || ripe != nil && !ripe[d.Key()]
		if at := policy.LastUse.Last(d.Namespace, d.Target.Digest, now).At; at.After(it.used) {
			it.used = at
		}
		if at := policy.LastUse.Seen(d.Namespace, d.Target.Digest, now); !at.IsZero() {
			it.seen = at
		}
	}
	return it
}

// graceItems are the runs whose grace can end: those that removed nothing outside
// of the given namespaces.
func graceItems(c *gc.Collector, within func(namespace string) bool) []item {
	found := make(map[string]*item)
	outside := make(map[string]bool)
	for _, grace := range c.Inv.Graces() {
		if !c.Live(c.Spaces[grace.Lease.Namespace].LeaseByID[grace.Lease.Key]) {
			continue
		}
		if found[grace.Run] == nil {
			found[grace.Run] = &item{grace: grace.Run}
		}
		it := found[grace.Run]
		it.roots = append(it.roots, grace.Lease)
		outside[grace.Run] = outside[grace.Run] || !within(grace.Lease.Namespace)
	}
	var items []item
	for run, it := range found {
		if !outside[run] {
			items = append(items, *it)
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(a.grace, b.grace) })
	return items
}
