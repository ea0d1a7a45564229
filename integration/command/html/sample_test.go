package html

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

var now = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

const ref = "containerd.io/gc.ref.content."

// sample is a store in the making: images of layers, unpacked, with the
// labels that containerd gives them.
type sample struct {
	inv *prune.Inventory
}

func newSample() sample {
	s := sample{inv: &prune.Inventory{Store: prune.StoreInfo{
		Kind: prune.StoreDaemon, Location: "/run/containerd/containerd.sock",
		ID: "9b1f6c1e-5f3b-4f0f-8a41-8f5f0f4f7c11", Version: "2.4.2", Snapshotters: []string{"overlayfs"},
	}}}
	s.inv.Sizes, s.inv.Origins = like(s.inv.Sizes), like(s.inv.Origins)
	return s
}

// like makes a map of the type of another.
func like[M ~map[K]V, K comparable, V any](M) M { return make(M) }

// keyOf is a key of a map, still without anything in it.
func keyOf[K comparable, V any](map[K]V) (key K) { return key }

// snapshot adds a snapshot with its size.
func (s sample) snapshot(space string, key prune.SnapshotKey, kind snapshots.Kind, parent string, mb float64) {
	all := s.space(space).Snapshots
	snapshot := all[key]
	snapshot.Kind, snapshot.Parent = kind, parent
	all[key] = snapshot
	id := keyOf(s.inv.Sizes)
	id.Namespace, id.SnapshotKey = space, key
	s.inv.Sizes[id] = int64(mb * 1e6)
}

func (s sample) space(name string) *prune.Namespace {
	if ns := s.inv.Namespace(name); ns != nil {
		return ns
	}
	ns := &prune.Namespace{
		Name: name, Blobs: make(map[digest.Digest]prune.Blob), Subjects: make(map[digest.Digest]digest.Digest),
	}
	ns.Snapshots = like(ns.Snapshots)
	s.inv.Namespaces = append(s.inv.Namespaces, ns)
	return ns
}

// layer is the content of one layer: equal text is the same layer.
type layer struct {
	text string
	mb   float64
}

// image adds an image under a name, made of layers; age is in days.
func (s sample) image(space, name string, age int, layers ...layer) digest.Digest {
	ns := s.space(space)
	id := fmt.Sprint(layers)
	target, config := digest.FromString("manifest "+id), digest.FromString("config "+id)
	labels := map[string]string{ref + "config": config.String()}
	parent := ""
	for i, l := range layers {
		blob := digest.FromString("layer " + l.text)
		labels[fmt.Sprintf("%sl.%d", ref, i)] = blob.String()
		ns.Blobs[blob] = prune.Blob{Size: int64(l.mb * 1e6)}
		chain := digest.FromString(parent + " " + l.text).String()
		key := prune.SnapshotKey{Snapshotter: "overlayfs", Key: chain}
		for _, of := range []digest.Digest{blob, digest.Digest(chain)} {
			origin := s.inv.Origins[of]
			origin.Command, origin.At = "RUN install "+l.text, now.Add(-time.Duration(age+i)*24*time.Hour)
			s.inv.Origins[of] = origin
		}
		s.snapshot(space, key, snapshots.KindCommitted, parent, l.mb*(2.1+0.1*float64(spread(l.text, 8))))
		parent = chain
	}
	created := now.Add(-time.Duration(age) * 24 * time.Hour)
	ns.Blobs[target] = prune.Blob{Size: int64(400 + 170*len(layers)), CreatedAt: created}.Labelled(labels)
	ns.Blobs[config] = prune.Blob{Size: int64(2100 + 300*len(layers))}.Labelled(map[string]string{"containerd.io/gc.ref.snapshot.overlayfs": parent})
	s.record(space, name, target, created)
	return target
}

func (s sample) record(space, name string, target digest.Digest, created time.Time) {
	ns := s.space(space)
	ns.Images = append(ns.Images, images.Image{
		Name: name, CreatedAt: created, UpdatedAt: created,
		Target: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: target, Size: ns.Blobs[target].Size},
	})
}

// spread is a number below n that a text always has.
func spread(text string, n uint32) uint32 {
	h := fnv.New32a()
	h.Write([]byte(text)) // a hash never fails
	return h.Sum32() % n
}

// plan plans to remove what is unused and matches the filters.
func (s sample) plan(set filters.Set) (*prune.Plan, error) {
	return prune.NewPlan(s.inv, prune.Policy{AllNamespaces: true, Filters: set}, now)
}
