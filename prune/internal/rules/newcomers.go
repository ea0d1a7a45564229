package rules

import (
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Watchlist tells what has appeared in a namespace since it was read from what
// may need one of the records that a run has deleted.
type Watchlist struct {
	*Catalog
	version gc.Release
	// lost says whether a record of that name is one of these.
	lost func(name string) bool
	// kin are the blobs by which an image is known as one of them: targets,
	// manifests, configs, and what a lost signature is about.
	kin map[digest.Digest]bool
}

// NewWatchlist makes one of a namespace as it was read, with the records that the
// run deleted.
func NewWatchlist(ns *inventory.Namespace, v gc.Release, lost func(name string) bool) *Watchlist {
	own := *ns
	own.Snapshots = maps.Clone(ns.Snapshots) // it learns of more
	w := &Watchlist{Catalog: NewCatalog(&own, v), version: v, lost: lost, kin: make(map[digest.Digest]bool)}
	var gray []digest.Digest
	for _, u := range w.Units {
		if w.anyLost(u) {
			gray = append(gray, u.Target)
			for _, about := range w.About(u) {
				w.kin[about] = true
			}
		}
	}
	w.addKin(gray)
	return w
}

// addKin adds the blobs and those below them, but for layers: these are shared by
// images that have nothing else to do with each other.
func (w *Watchlist) addKin(gray []digest.Digest) {
	seen := make(map[digest.Digest]bool)
	for len(gray) > 0 {
		next := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		if seen[next] {
			continue
		}
		seen[next] = true
		labels, _ := w.Labels(next)
		below, leaf := w.Below(labels)
		if !leaf || w.Units[next] != nil {
			w.kin[next] = true
			gray = append(gray, below...)
		}
	}
}

func (w *Watchlist) anyLost(u *Unit) bool {
	for _, r := range u.Records {
		if w.lost(r.Name) {
			return true
		}
	}
	return false
}

// Below lists the blobs that labels refer to. A leaf has no reference at all, not
// even to snapshots.
func (w *Watchlist) Below(labels inventory.Labels) (below []digest.Digest, leaf bool) {
	leaf = true
	for _, label := range labels {
		r, ok := gc.ParseRef(w.version, w.ns.Name, label.Key, label.Value)
		if !ok || r.How != gc.Forward {
			continue
		}
		leaf = false
		if r.To.Kind == graph.KindContent {
			below = append(below, digest.Digest(r.To.Key))
		}
	}
	return below, leaf
}

// Kin says whether a blob belongs to a lost image.
func (w *Watchlist) Kin(blob digest.Digest) bool { return w.kin[blob] }

// Labels returns the labels of a blob that was there.
func (w *Watchlist) Labels(blob digest.Digest) (labels inventory.Labels, known bool) {
	b, known := w.ns.Blobs[blob]
	return b.Labels, known
}

// AddSnapshots adds snapshots that have appeared, or appeared again.
func (w *Watchlist) AddSnapshots(found map[inventory.SnapshotKey]inventory.Snapshot) {
	for key, s := range found {
		if was, known := w.ns.Snapshots[key]; known && was.Parent != s.Parent {
			clear(w.stands)
		}
		w.ns.Snapshots[key] = s
		delete(w.stands, key)
	}
}

// Wanted says whether one of the uses may mean a lost record.
func (w *Watchlist) Wanted(uses []inventory.Use) bool {
	u := Resolve(w.Catalog, uses)
	if slices.ContainsFunc(slices.Collect(maps.Keys(u.Names)), w.lost) {
		return true
	}
	for target := range u.Units {
		if w.anyLost(w.Units[target]) {
			return true
		}
	}
	return false
}
