package survey

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Group is what the images of a group hold.
type Group struct {
	// Amount is everything that they consist of, each object once. With Bound it is
	// at least that much.
	inventory.Amount
	Bound bool
	// UniqueBytes are what only they hold: what is freed when all of them are removed
	// with all of their names.
	UniqueBytes int64
	// ReclaimableBytes are what they add to what is freed when all goes that may: the
	// sum of theirs.
	ReclaimableBytes int64
}

// Groups sums up groups of images that contain each other: parent is the group that
// contains each group, and comes before it; it is -1 for a group that is in none. of
// is the group of each image. An image may have a group of its own.
func (s *Survey) Groups(parent, of []int) []Group {
	t := newTree(parent)
	groups := make([]Group, len(parent))
	s.sumUp(groups, t, of)
	s.sumOwn(groups, t, of)
	return groups
}

// tree knows how groups contain each other.
type tree struct{ parent, depth []int }

func newTree(parent []int) tree {
	t := tree{parent, make([]int, len(parent))}
	for g, p := range parent {
		if p >= 0 {
			t.depth[g] = t.depth[p] + 1
		}
	}
	return t
}

// Who holds an object, besides a group.
const (
	nobody = -1
	// several are groups that no group contains together, or somebody else.
	several = -2
)

// common is the smallest group that contains two.
func (t tree) common(a, b int) int {
	switch {
	case a == nobody || a == b:
		return b
	case b == nobody:
		return a
	case a == several || b == several:
		return several
	}
	for a != b {
		if a < 0 || b < 0 {
			return several
		}
		if t.depth[a] < t.depth[b] {
			a, b = b, a
		}
		a = t.parent[a]
	}
	return a
}

// parts are the objects of each image, one image's after the other's.
type parts struct {
	list  []int32
	start []int32
	// bound says of which images not all are known.
	bound []bool
	// count is in how many images each object is.
	count []int32
}

func (p *parts) of(image int) []int32 { return p.list[p.start[image]:p.start[image+1]] }

// takeApart finds what each image consists of.
func (s *Survey) takeApart() parts {
	images := s.Usage.Images
	p := parts{start: make([]int32, 1, len(images)+1), bound: make([]bool, len(images)), count: make([]int32, len(s.objects.list))}
	seen := make([]int32, len(s.objects.list))
	walk := s.c.Walk()
	gc.Bound(walk)
	for i := range images {
		target := graph.ContentNode(images[i].Namespace, images[i].Target)
		p.bound[i] = !walk.Within(target, func(graph.NodeID) bool { return true }, func(id graph.NodeID) {
			at := s.objects.of[id]
			if at == none || seen[at] == int32(i)+1 {
				return
			}
			seen[at] = int32(i) + 1
			p.count[at]++
			p.list = append(p.list, at)
		})
		p.start = append(p.start, int32(len(p.list)))
	}
	return p
}

// sumUp sums up what the images of each group consist of. They are looked at in the
// order of the groups, so that of the images that have an object in common with a
// group the last one is known: from the group that contains both on it was counted.
func (s *Survey) sumUp(groups []Group, t tree, of []int) {
	last := make([]int, len(s.objects.list))
	for i := range last {
		last[i] = nobody
	}
	for _, image := range inOrder(t, of) {
		for g := of[image]; g >= 0; g = t.parent[g] {
			groups[g].Bound = groups[g].Bound || s.parts.bound[image]
		}
		for _, at := range s.parts.of(image) {
			counted := nobody
			if last[at] != nobody {
				counted = t.common(last[at], of[image])
			}
			last[at] = of[image]
			for g := of[image]; g >= 0 && g != counted; g = t.parent[g] {
				s.objects.list[at].add(&groups[g].Amount)
			}
		}
	}
}

// inOrder lists the images so that those of a group and of all that it contains
// follow each other.
func inOrder(t tree, of []int) []int {
	images, within := make([][]int, len(t.parent)), make([][]int, len(t.parent))
	var tops []int
	for g, p := range t.parent {
		if p >= 0 {
			within[p] = append(within[p], g)
		} else {
			tops = append(tops, g)
		}
	}
	for i, g := range of {
		images[g] = append(images[g], i)
	}
	order := make([]int, 0, len(of))
	for gray := tops; len(gray) > 0; {
		g := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		order = append(order, images[g]...)
		gray = append(gray, within[g]...)
	}
	return order
}

// sumOwn sums up what each group alone holds, and what its images free.
func (s *Survey) sumOwn(groups []Group, t tree, of []int) {
	owned, others := s.owned(t, of)
	for i := range s.objects.list {
		o := &s.objects.list[i]
		by, shared := nobody, false
		for _, id := range s.objects.nodes[o.from:o.to] {
			by = t.common(by, owned[id])
			shared = shared || others[id] != graph.Nowhere
		}
		if by >= 0 && !shared {
			groups[by].UniqueBytes = inventory.Saturate(groups[by].UniqueBytes, o.bytes)
		}
	}
	for i, g := range of {
		groups[g].ReclaimableBytes = inventory.Saturate(groups[g].ReclaimableBytes, s.Usage.Images[i].ReclaimableBytes)
	}
	for g := len(groups) - 1; g >= 0; g-- {
		if p := t.parent[g]; p >= 0 {
			groups[p].UniqueBytes = inventory.Saturate(groups[p].UniqueBytes, groups[g].UniqueBytes)
			groups[p].ReclaimableBytes = inventory.Saturate(groups[p].ReclaimableBytes, groups[g].ReclaimableBytes)
		}
	}
}

// owned finds for each node the smallest group that contains all images which reach
// it, and what is reached from anything else. A node changes hands at most as often as
// the groups are deep.
func (s *Survey) owned(t tree, of []int) (owned []int, others reach) {
	images := s.imagesAt()
	m := s.marker()
	m.absent = func(id graph.NodeID) bool { return images[id] != none }
	owned = make([]int, len(s.c.Graph.Nodes))
	for i := range owned {
		owned[i] = nobody
	}
	for _, root := range s.roots {
		switch image := images[root.id]; {
		case root.target != graph.Nowhere: // it is not there yet
		case image != none:
			s.own(owned, t, root.id, of[image], images)
		default:
			m.mark(root.id, root.id)
		}
	}
	for _, lease := range s.history {
		m.mark(lease, lease)
	}
	return owned, m.reach
}

// imagesAt is the image of each node that is a record of one, or none.
func (s *Survey) imagesAt() []int {
	at := make([]int, len(s.c.Graph.Nodes))
	for i := range at {
		at[i] = none
	}
	for i := range s.Usage.Images {
		for _, name := range s.Usage.Images[i].Names {
			for _, id := range s.recordNodes(s.Usage.Images[i].Namespace, name) {
				at[id] = i
			}
		}
	}
	return at
}

// own gives a root and what it reaches to a group, or to the one that contains it and
// whoever had it before. Other records are not entered: they are gone when their
// images are.
func (s *Survey) own(owned []int, t tree, root graph.NodeID, group int, images []int) {
	type claim struct {
		id graph.NodeID
		by int
	}
	claims := []claim{{root, group}}
	for len(claims) > 0 {
		c := claims[len(claims)-1]
		claims = claims[:len(claims)-1]
		by := t.common(owned[c.id], c.by)
		if by == owned[c.id] {
			continue
		}
		owned[c.id] = by
		for _, to := range s.c.Next.Of(c.id) {
			if images[to] == none {
				claims = append(claims, claim{to, by})
			}
		}
	}
}
