package pressure

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// sum is what is freed, or has to be: bytes and inodes of each file system, bytes in
// all, images.
type sum struct {
	disks  []amount
	bytes  int64
	images int
}

type amount struct{ bytes, inodes int64 }

func (s *sum) add(other sum) {
	for i, a := range other.disks {
		s.disks[i].bytes = inventory.Saturate(s.disks[i].bytes, a.bytes)
		s.disks[i].inodes = inventory.Saturate(s.disks[i].inodes, a.inodes)
	}
	s.bytes = inventory.Saturate(s.bytes, other.bytes)
	s.images += other.images
}

// covers says whether it is at least as much as what has to be freed.
func (s *sum) covers(need sum) bool {
	for i, a := range need.disks {
		if s.disks[i].bytes < a.bytes || s.disks[i].inodes < a.inodes {
			return false
		}
	}
	return s.bytes >= need.bytes && s.images >= need.images
}

// chooser chooses of items.
type chooser struct {
	walk
	asked  *filesystem.Pressure
	inodes inventory.Inodes
	items  []item
	// spaces are the bunches of each namespace.
	spaces []*rules.Bunches
	// freed is what goes at each place, counted from 1, and at 0 what goes in any
	// case. used is all that the store has.
	freed []sum
	used  sum
	need  sum
}

func (c *chooser) nothing() sum { return sum{disks: make([]amount, len(c.asked.FileSystems))} }

// measure sums up what is freed at each place.
func (c *chooser) measure() {
	c.freed = make([]sum, len(c.items)+1)
	for i := range c.freed {
		c.freed[i] = c.nothing()
		if i > 0 && c.items[i-1].bunch != nil {
			c.freed[i].images = c.items[i-1].bunch.Images
		}
	}
	c.used = c.nothing()
	c.each(c.inodes, func(o object) {
		c.count(&c.used, o)
		if o.at != gc.Stays {
			c.count(&c.freed[o.at], o)
		}
	})
	for _, s := range c.c.Order {
		targets := make(map[digest.Digest]bool, len(s.Images))
		for i := range s.Images {
			targets[s.Images[i].Target.Digest] = true
		}
		c.used.images += len(targets)
	}
}

// count adds an object: in whole blocks to its file system, in bytes to all.
func (c *chooser) count(s *sum, o object) {
	s.bytes = inventory.Saturate(s.bytes, o.bytes)
	for i := range c.asked.FileSystems {
		if f := &c.asked.FileSystems[i]; f.Covers(o.id.Snapshotter) {
			s.disks[i].bytes = inventory.Saturate(s.disks[i].bytes, inBlocks(o, f.BlockBytes))
			s.disks[i].inodes = inventory.Saturate(s.disks[i].inodes, o.inodes)
			return
		}
	}
}

// inBlocks is what an object takes on a disk. The sizes of snapshots are in blocks
// already.
func inBlocks(o object, block int64) int64 {
	if o.blob == "" || block <= 1 || o.bytes > 1<<60 {
		return o.bytes
	}
	return (o.bytes + block - 1) / block * block
}

// ask says what has to be freed.
func (c *chooser) ask() {
	c.need = c.nothing()
	for i := range c.asked.FileSystems {
		f := &c.asked.FileSystems[i]
		c.need.disks[i] = amount{f.NeedBytes, f.NeedInodes}
		if c.asked.MaxUsed > 0 {
			c.need.disks[i].bytes = max(f.NeedBytes, c.used.disks[i].bytes-c.asked.MaxUsed)
		}
	}
	c.need.bytes = c.asked.FreeBytes
	if c.asked.MaxImages > 0 {
		c.need.images = max(0, c.used.images-c.asked.MaxImages)
	}
}

// limit is why no more of an order may go.
type limit int

const (
	unlimited limit = iota
	enough
	reserve
)

// shortest finds the shortest beginning of the order that frees enough, and where no
// beginning does, the longest one that is allowed.
func (c *chooser) shortest() (places int, why limit) {
	if none := c.nothing(); none.covers(c.need) {
		return 0, enough
	}
	total := c.nothing()
	if total.add(c.freed[0]); total.covers(c.need) {
		return 0, enough
	}
	for at := 0; at < len(c.items); {
		end := c.stepEnd(at)
		for _, freed := range c.freed[at+1 : end+1] {
			total.add(freed)
		}
		if c.asked.Reserved > 0 && c.used.bytes-total.bytes < c.asked.Reserved {
			return at, reserve
		}
		if at = end; total.covers(c.need) {
			return at, enough
		}
	}
	return len(c.items), unlimited
}

// stepEnd is where the items end that only go together with the one at a place.
func (c *chooser) stepEnd(at int) int {
	end := at + 1
	for c.items[at].bunch != nil && end < len(c.items) && c.items[end].bunch.Rank == c.items[at].bunch.Rank {
		end++
	}
	return end
}

// wanted says whether an object that goes helps.
func (c *chooser) wanted(o object) bool {
	if c.need.bytes > 0 && o.bytes > 0 {
		return true
	}
	for i := range c.asked.FileSystems {
		if c.asked.FileSystems[i].Covers(o.id.Snapshotter) {
			return c.need.disks[i].bytes > 0 && o.bytes > 0 || c.need.disks[i].inodes > 0 && o.inodes > 0
		}
	}
	return false
}

// helping says which of the first items of an order help: they reach something that
// has to go and that goes with these items. All others of them could stay, and just
// as much that has to would go: an object is freed when all that reach it are gone.
func (c *chooser) helping(places int) (helps []bool) {
	helps = make([]bool, len(c.items))
	above := c.reaching(places)
	needed := make(map[*rules.Bunch]bool)
	for i, it := range c.items[:places] {
		for _, root := range it.roots {
			if id := c.c.Graph.Lookup(root); id != graph.Nowhere && above[id] {
				helps[i] = true
			}
		}
		if it.bunch != nil && (helps[i] || c.need.images > 0 && it.bunch.Images > 0) {
			needed[it.bunch] = true
		}
	}
	for _, space := range c.spaces {
		space.Needed(needed)
	}
	for i, it := range c.items[:places] {
		helps[i] = helps[i] || needed[it.bunch]
	}
	return helps
}

// roots are the records and leases of the first items.
func (c *chooser) roots(places int) map[graph.NodeID]bool {
	roots := make(map[graph.NodeID]bool)
	for _, it := range c.items[:places] {
		for _, root := range it.roots {
			roots[c.c.Graph.Lookup(root)] = true
		}
	}
	return roots
}

// reaching marks what reaches an object that has to go and that goes with the first
// items, in the store as it is. What leads to a record that goes does not lead on.
func (c *chooser) reaching(places int) []bool {
	up := c.c.Reversed()
	above := make([]bool, len(c.c.Graph.Nodes))
	ends := c.roots(places)
	var gray []graph.NodeID
	come := func(id graph.NodeID) {
		if id != graph.Nowhere && !above[id] {
			if above[id] = true; !ends[id] {
				gray = append(gray, id)
			}
		}
	}
	start := func(n graph.Node) {
		if id := c.c.Graph.Lookup(n); id != graph.Nowhere {
			come(id)
			come(c.c.Graph.Twin(id))
		}
	}
	c.each(c.inodes, func(o object) {
		if o.at == 0 || int(o.at) > places || !c.wanted(o) {
			return
		}
		for _, n := range c.nodes(o) {
			start(n)
		}
	})
	for len(gray) > 0 {
		at := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		for _, from := range up.Of(at) {
			come(from)
		}
	}
	return above
}
