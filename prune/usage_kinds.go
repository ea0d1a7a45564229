package prune

import (
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// contentLabel starts the labels that containerd writes when it fetches an
// image (core/images, ChildGCLabels): config, l.<n> for layers, m.<n> for the
// manifests of an index.
const contentLabel = "containerd.io/gc.ref.content."

type kindOfBlob struct {
	kind  ObjectKind
	layer int
}

// kinds tells what the blobs are from the labels of those that refer to them,
// without reading any. A blob is the most telling of what several say.
func (inv *Inventory) kinds() map[digest.Digest]kindOfBlob {
	kinds := make(map[digest.Digest]kindOfBlob)
	for _, ns := range inv.Namespaces {
		for dgst := range ns.Blobs {
			if _, known := kinds[dgst]; !known {
				kinds[dgst] = kindOfBlob{kind: KindContent}
			}
		}
	}
	set := func(dgst digest.Digest, k kindOfBlob) {
		current, present := kinds[dgst]
		// The larger number wins where images disagree, so that the order in
		// which they are met does not matter.
		if present && (rank(k.kind) > rank(current.kind) || k.kind == current.kind && k.layer > current.layer) {
			kinds[dgst] = k
		}
	}
	for _, ns := range inv.Namespaces {
		for dgst, blob := range ns.Blobs {
			for key, value := range blob.Labels {
				if what, ok := strings.CutPrefix(key, contentLabel); ok {
					parent, child := kindsOf(what)
					set(dgst, parent)
					set(digest.Digest(value), child)
				}
			}
		}
	}
	return kinds
}

// kindsOf reads the end of a label: what the labelled blob is, and the named.
func kindsOf(what string) (parent, child kindOfBlob) {
	part, number, _ := strings.Cut(what, ".")
	switch part {
	case "config":
		return kindOfBlob{kind: KindManifest}, kindOfBlob{kind: KindConfig}
	case "l":
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || n >= maxLayers {
			return kindOfBlob{kind: KindManifest}, kindOfBlob{kind: KindLayer}
		}
		return kindOfBlob{kind: KindManifest}, kindOfBlob{kind: KindLayer, layer: n + 1}
	case "m":
		return kindOfBlob{kind: KindIndex}, kindOfBlob{kind: KindManifest}
	default:
		return kindOfBlob{}, kindOfBlob{}
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

// maxLayers bounds the walk to a snapshot's base: hostile parents may form a
// ring, and no kernel mounts as many layers.
const maxLayers = 1024

// layer counts the snapshots from one that is an unpacked layer, which is
// named by its chain ID, a digest, down to its base. 0 if it is none.
func (ns *Namespace) layer(key SnapshotKey) int {
	for n := 0; n < maxLayers; n++ {
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

// layersOf is that of every snapshot, each looked at once.
func layersOf(inv *Inventory) map[SnapshotID]int {
	layers := make(map[SnapshotID]int)
	for _, ns := range inv.Namespaces {
		for key := range ns.Snapshots {
			ns.countLayers(SnapshotID{ns.Name, key}, layers)
		}
	}
	return layers
}

// countLayers goes down until it meets what was counted, and counts on from
// there. What is being counted counts as no layer: it is on a ring.
func (ns *Namespace) countLayers(id SnapshotID, layers map[SnapshotID]int) {
	var way []SnapshotID
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
	for i := len(way) - 1; i >= 0 && base >= 0 && base < maxLayers-1; i-- {
		base++
		layers[way[i]] = base
	}
}
