package browse

import (
	"cmp"
	"slices"
	"time"
)

// order is by what lines are sorted.
type order int

const (
	byReclaimable order = iota
	byUnique
	bySize
	byAge
	byUse
	byName
	orders
)

// titles are the columns that are sorted by.
var titles = map[order]string{
	byReclaimable: "RECLAIMABLE", byUnique: "UNIQUE", bySize: "SIZE", byAge: "AGE", byUse: "USED", byName: "NAME",
}

// words say an order in a sentence.
var words = map[order]string{
	byReclaimable: "what can be reclaimed", byUnique: "what only it holds", bySize: "size", byAge: "age, the oldest first",
	byUse: "last use, the longest ago first", byName: "name",
}

// compare compares lines of one parent: the largest first, the oldest first.
func (o order) compare(a, b *node) int {
	first := 0
	switch o {
	case byReclaimable:
		first = cmp.Compare(b.sum.ReclaimableBytes, a.sum.ReclaimableBytes)
	case byUnique:
		first = cmp.Compare(b.sum.UniqueBytes, a.sum.UniqueBytes)
	case bySize:
		first = cmp.Compare(b.sum.TotalBytes, a.sum.TotalBytes)
	case byAge:
		first = oldest(a.created, b.created)
	case byUse:
		first = oldest(a.used, b.used)
	}
	return cmp.Or(first, cmp.Compare(a.label, b.label))
}

// oldest puts what is not known last.
func oldest(a, b time.Time) int {
	switch {
	case a.IsZero() || b.IsZero():
		return -cmp.Compare(zero(b), zero(a))
	default:
		return a.Compare(b)
	}
}

func zero(t time.Time) int {
	if t.IsZero() {
		return 1
	}
	return 0
}

// sort sorts the lines within each line; parts of images have an order of their own.
func (t *tree) sort(by order, reverse bool) {
	var grow func(*node)
	grow = func(n *node) {
		if n.kind == kindImage {
			return
		}
		slices.SortStableFunc(n.kids, func(a, b *node) int {
			if reverse {
				a, b = b, a
			}
			return by.compare(a, b)
		})
		for _, kid := range n.kids {
			grow(kid)
		}
	}
	grow(t.root)
}
