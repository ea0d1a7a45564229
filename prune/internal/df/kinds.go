package df

import (
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// KindOfBlob is what a blob is to an image, and of a layer also its place, from 1.
type KindOfBlob struct {
	Kind  ObjectKind
	Layer int
}

// KindsIn tells what the blobs are from the labels of those that refer to them,
// without reading any. A blob is the most telling of what several say.
func KindsIn(inv *inventory.Inventory) map[digest.Digest]KindOfBlob {
	kinds := make(map[digest.Digest]KindOfBlob)
	for _, ns := range inv.Namespaces {
		for dgst := range ns.Blobs {
			if _, known := kinds[dgst]; !known {
				kinds[dgst] = KindOfBlob{Kind: KindContent}
			}
		}
	}
	set := func(dgst digest.Digest, k KindOfBlob) {
		current, present := kinds[dgst]
		// The larger number wins where images disagree, so that the order in
		// which they are met does not matter.
		if present && (rank(k.Kind) > rank(current.Kind) || k.Kind == current.Kind && k.Layer > current.Layer) {
			kinds[dgst] = k
		}
	}
	for _, ns := range inv.Namespaces {
		for dgst, blob := range ns.Blobs {
			for _, label := range blob.Labels {
				if what, ok := strings.CutPrefix(label.Key, store.ContentLabel); ok {
					parent, child := kindsOf(what)
					set(dgst, parent)
					set(digest.Digest(label.Value), child)
				}
			}
		}
	}
	return kinds
}

// kindsOf reads the end of a label: what the labelled blob is, and the named.
func kindsOf(what string) (parent, child KindOfBlob) {
	part, number, _ := strings.Cut(what, ".")
	switch part {
	case "config":
		return KindOfBlob{Kind: KindManifest}, KindOfBlob{Kind: KindConfig}
	case "l":
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n >= MaxLayers {
			return KindOfBlob{Kind: KindManifest}, KindOfBlob{Kind: KindLayer}
		}
		return KindOfBlob{Kind: KindManifest}, KindOfBlob{Kind: KindLayer, Layer: n + 1}
	case "m":
		return KindOfBlob{Kind: KindIndex}, KindOfBlob{Kind: KindManifest}
	default:
		return KindOfBlob{}, KindOfBlob{}
	}
}

func rank(kind ObjectKind) int {
	switch kind {
	case KindContent:
		return 1
	case KindManifest:
		return 2
	case KindIndex:
		return 3
	case KindLayer:
		return 4
	case KindConfig:
		return 5
	default:
		return 0
	}
}

// MaxLayers bounds the walk to a snapshot's base: hostile parents may form a
// ring, and no kernel mounts as many layers.
const MaxLayers = 1024

// LayerOf counts the snapshots from one that is an unpacked layer, which is
// named by its chain ID, a digest, down to its base. 0 if it is none.
func LayerOf(ns *inventory.Namespace, key inventory.SnapshotKey) int {
	for n := 0; n < MaxLayers; n++ {
		if key.Key == "" {
			return n
		}
		if digest.Digest(key.Key).Validate() != nil {
			return 0
		}
		key.Key = ns.Snapshots[key].Parent
	}
	return 0
}

// LayersOf is that of every snapshot, each looked at once.
func LayersOf(inv *inventory.Inventory) map[inventory.SnapshotID]int {
	layers := make(map[inventory.SnapshotID]int)
	for _, ns := range inv.Namespaces {
		for key := range ns.Snapshots {
			countLayers(ns, inventory.SnapshotID{Namespace: ns.Name, SnapshotKey: key}, layers)
		}
	}
	return layers
}

// countLayers goes down until it meets what was counted, and counts on from
// there. What is being counted counts as no layer: it is on a ring.
func countLayers(ns *inventory.Namespace, id inventory.SnapshotID, layers map[inventory.SnapshotID]int) {
	var way []inventory.SnapshotID
	base := 0 // the number of the one below; -1 if that is no layer
	for ; id.Key != ""; id.Key = ns.Snapshots[id.SnapshotKey].Parent {
		if n, counted := layers[id]; counted {
			base = n
			if n == 0 {
				base = -1
			}
			break
		}
		layers[id] = 0
		way = append(way, id)
		if digest.Digest(id.Key).Validate() != nil {
			base = -1
			break
		}
	}
	for i := len(way) - 1; i >= 0 && base >= 0 && base < MaxLayers-1; i-- {
		base++
		layers[way[i]] = base
	}
}
