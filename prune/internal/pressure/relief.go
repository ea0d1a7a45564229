package pressure

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// relief says what a plan frees of what has to be freed.
func (c *chooser) relief(p *plan.Plan) *plan.Relief {
	r := &plan.Relief{Disks: []plan.Disk{}, NeedBytes: c.need.bytes, NeedImages: c.need.images, Dropped: append([]string{}, p.Policy.Dropped...)}
	total := c.nothing()
	c.each(c.inodes, func(o object) {
		if o.within(p.Outcome.Garbage) {
			c.count(&total, o)
		}
		if o.within(p.Outcome.Freed) {
			c.count(&total, o)
		}
	})
	total.images = imagesGone(p)
	r.Collects, r.Order = c.collects(p), c.order()
	if p.Relief = r; p.Empty() && len(r.Dropped) == 0 {
		total = c.nothing()
	}
	r.FreesBytes, r.FreesImages, r.Reached = total.bytes, total.images, total.covers(c.need)
	for i, f := range c.asked.FileSystems {
		f.NeedBytes = c.need.disks[i].bytes
		freed := total.disks[i]
		r.Disks = append(r.Disks, plan.Disk{
			FileSystem: f, UsedBytes: c.used.disks[i].bytes, FreesBytes: freed.bytes, FreesInodes: freed.inodes,
			Reached: freed.bytes >= f.NeedBytes && freed.inodes >= f.NeedInodes,
		})
	}
	return r
}

// order is the place of each record.
func (c *chooser) order() map[[2]string]int {
	places := make(map[[2]string]int)
	for i, it := range c.items {
		if it.bunch == nil {
			continue
		}
		for _, d := range it.bunch.Going {
			places[d.Key()] = i
		}
	}
	return places
}

// collects says whether garbage that nobody has collected yet has to go.
func (c *chooser) collects(p *plan.Plan) (yes bool) {
	c.each(c.inodes, func(o object) {
		yes = yes || o.within(p.Outcome.Garbage) && c.wanted(o)
	})
	return yes
}

// within says whether an object is among others.
func (o object) within(objects inventory.Objects) (ok bool) {
	if o.blob != "" {
		_, ok = objects.Blobs[o.blob]
	} else {
		_, ok = objects.Snapshots[o.id]
	}
	return ok
}

// imagesGone counts the images of which a plan leaves no record.
func imagesGone(p *plan.Plan) int {
	left := make(map[plan.ImageKey]bool)
	for _, d := range p.Decisions {
		key := plan.ImageKey{Namespace: d.Namespace, Target: d.Target.Digest}
		left[key] = left[key] || d.Action != rules.Remove
	}
	gone := 0
	for _, stays := range left {
		if !stays {
			gone++
		}
	}
	return gone
}
