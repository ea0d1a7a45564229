package simulation

import (
	"slices"
	"time"
)

const (
	mb = int64(1_000_000)
	gb = 1000 * mb
)

// layer is a layer of images. It always has the same layers below it.
type layer struct {
	name   string
	parent *layer
	packed int64 // the bytes of its blob; its snapshot has three times as many
}

func (l *layer) unpacked() int64 { return 3 * l.packed }

// image is what a name refers to; each build makes another.
type image struct {
	name string
	top  *layer
}

// layers lists those of the image, the top first.
func (i *image) layers() (all []*layer) {
	for l := i.top; l != nil; l = l.parent {
		all = append(all, l)
	}
	return all
}

// packed is what a client of CRI is told of the image's size.
func (i *image) packed() (sum int64) {
	for _, l := range i.layers() {
		sum += l.packed
	}
	return sum
}

// local is an image that the host has.
type local struct {
	*image
	since    time.Time // when it was built or pulled
	lastUsed time.Time
	until    time.Time // when the last container of it ends
}

func (l *local) inUse(now time.Time) bool { return l.until.After(now) }

// host is a machine with one disk.
type host struct {
	now      time.Time
	capacity int64
	others   int64 // of the disk, which nothing of containerd's takes
	images   map[*image]*local
	layers   map[*layer]int // how many of the images have it
	taken    int64          // by all layers
	removed  map[*image]time.Time
	tally    tally
}

// tally is what is told of a pruner.
type tally struct {
	runs, collections int
	removals          int
	needed            int   // removals of what was needed again within a day
	pulledAgain       int64 // bytes that were pulled although they had been there
	wanted, freed     int64 // bytes that runs were to free, and freed
	short             int   // runs that freed less than they were to
	full              int   // times at which something did not fit
	highest           int64
}

func newHost(start time.Time) *host {
	return &host{now: start, capacity: 200 * gb, others: 30 * gb, images: map[*image]*local{}, layers: map[*layer]int{}, removed: map[*image]time.Time{}}
}

func (h *host) used() int64 { return h.others + h.taken }

// percent is how full the disk is.
func (h *host) percent() int64 { return h.used() * 100 / h.capacity }

// add puts an image there, if it is not.
func (h *host) add(i *image) *local {
	if there := h.images[i]; there != nil {
		return there
	}
	for _, l := range i.layers() {
		if h.layers[l]++; h.layers[l] == 1 {
			h.taken += l.packed + l.unpacked()
		}
	}
	h.images[i] = &local{image: i, since: h.now}
	if h.used() > h.capacity {
		h.tally.full++
	}
	h.tally.highest = max(h.tally.highest, h.used())
	return h.images[i]
}

// use runs a container of an image for a time, and pulls it if it is not there.
func (h *host) use(i *image, length time.Duration) {
	if at, was := h.removed[i]; was {
		delete(h.removed, i)
		before := h.taken
		h.add(i)
		h.tally.pulledAgain += (h.taken - before) / 4 // what is packed of it
		if h.now.Sub(at) < 24*time.Hour {
			h.tally.needed++
		}
	}
	there := h.add(i)
	there.lastUsed = h.now
	if end := h.now.Add(length); end.After(there.until) {
		there.until = end
	}
}

// remove takes an image away, and returns how many bytes that frees.
func (h *host) remove(i *image) (freed int64) {
	delete(h.images, i)
	for _, l := range i.layers() {
		if h.layers[l]--; h.layers[l] == 0 {
			delete(h.layers, l)
			freed += l.packed + l.unpacked()
		}
	}
	h.taken -= freed
	h.removed[i] = h.now
	h.tally.removals++
	return freed
}

// ran adds a run of a pruner that was to free so many bytes.
func (h *host) ran(wanted, freed int64, collections int) {
	t := &h.tally
	t.runs, t.collections = t.runs+1, t.collections+collections
	t.wanted, t.freed = t.wanted+wanted, t.freed+freed
	if freed < wanted {
		t.short++
	}
}

// sorted lists the images of the host by name, so that no order depends on a map.
func (h *host) sorted() []*local {
	var all []*local
	for _, l := range h.images {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *local) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return all
}
