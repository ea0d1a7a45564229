package simulation

import (
	"cmp"
	"slices"
	"time"
)

// lru prunes as the kubelet's image manager does (pkg/kubelet/images of Kubernetes
// 1.37): every five minutes it looks at the disk, and above the high mark it
// removes images that no container uses, the longest unused first, until the sum
// of their compressed sizes is what it takes to come down to the low mark. Each
// removal is a garbage collection of containerd's.
type lru struct {
	high, low int64
	seen      map[*image]time.Time // first detected
	used      map[*image]time.Time // in use at a look
}

func newLRU(high, low int64) *lru {
	return &lru{high: high, low: low, seen: map[*image]time.Time{}, used: map[*image]time.Time{}}
}

func (k *lru) every() time.Duration { return 5 * time.Minute }

func (k *lru) look(h *host) {
	k.detect(h)
	if h.percent() < k.high {
		return
	}
	wanted := h.used() - h.capacity*k.low/100
	var sum, freed int64
	collections := 0
	for _, i := range k.candidates(h) {
		if sum >= wanted {
			break
		}
		if h.now.Sub(k.seen[i]) < 2*time.Minute {
			continue
		}
		sum += i.packed()
		freed += h.remove(i)
		collections++
	}
	h.ran(wanted, freed, collections)
}

// detect notes which images there are, and which of them are in use.
func (k *lru) detect(h *host) {
	for i := range k.seen {
		if h.images[i] == nil {
			delete(k.seen, i)
			delete(k.used, i)
		}
	}
	for i, there := range h.images {
		if _, known := k.seen[i]; !known {
			k.seen[i] = h.now
		}
		if there.inUse(h.now) {
			k.used[i] = h.now
		}
	}
}

// candidates lists the unused images, the longest unused first.
func (k *lru) candidates(h *host) (unused []*image) {
	for _, there := range h.sorted() {
		if !there.inUse(h.now) {
			unused = append(unused, there.image)
		}
	}
	slices.SortStableFunc(unused, func(a, b *image) int {
		return cmp.Or(k.used[a].Compare(k.used[b]), k.seen[a].Compare(k.seen[b]))
	})
	return unused
}
