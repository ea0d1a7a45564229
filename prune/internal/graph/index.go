package graph

import "hash/maphash"

// index finds the numbers of nodes that are not flat. A map would have a copy of
// each node as its key; this is a table of numbers alone, with the nodes
// themselves at hand to compare.
type index struct {
	seed maphash.Seed
	// slots are the numbers plus one, each at the place that its node's hash says or
	// at the next free one; 0 is free. Their length is a power of two.
	slots []uint32
	used  int
}

// leastSlots is the size of an empty index.
const leastSlots = 8

// newIndex makes an index with room for so many nodes.
func newIndex(size int) index {
	slots := leastSlots
	for !roomy(size, slots) {
		slots *= 2
	}
	return index{seed: maphash.MakeSeed(), slots: make([]uint32, slots)}
}

// roomy says whether so many nodes in a table are few enough to be found soon.
func roomy(used, slots int) bool { return used <= slots/4*3 }

// place is where a node is, or where it belongs.
func (x *index) place(nodes []Node, n Node) uint64 {
	last := uint64(len(x.slots) - 1)
	at := x.hash(n) & last
	for x.slots[at] != 0 && nodes[x.slots[at]-1] != n {
		at = (at + 1) & last
	}
	return at
}

func (x *index) hash(n Node) uint64 {
	return maphash.String(x.seed, n.Key) + 31*maphash.String(x.seed, n.Namespace) + uint64(n.Kind)<<32
}

func (x *index) find(nodes []Node, n Node) NodeID {
	return NodeID(x.slots[x.place(nodes, n)]) - 1 // nowhere if the place is free
}

// add notes the number of a node that has none yet.
func (x *index) add(nodes []Node, id NodeID) {
	if x.used++; !roomy(x.used, len(x.slots)) {
		x.grow(nodes)
	}
	x.slots[x.place(nodes, nodes[id])] = uint32(id) + 1
}

func (x *index) grow(nodes []Node) {
	old := x.slots
	x.slots = make([]uint32, 2*len(old))
	for _, number := range old {
		if number != 0 {
			x.slots[x.place(nodes, nodes[number-1])] = number
		}
	}
}
