package rules

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Unit is all records of a namespace with the same target.
type Unit struct {
	Target  digest.Digest
	Records []*images.Image // sorted by name
}

// Catalog finds the units of one namespace by what others call them.
type Catalog struct {
	ns    *inventory.Namespace
	Units map[digest.Digest]*Unit
	// named finds a record by its name and by its normalized name.
	named map[string][]*images.Image
	// Parents are the blobs whose labels refer to a blob.
	Parents map[digest.Digest][]digest.Digest
	// referrers are the subjects that a blob's labels tie a referrer to.
	referrers map[digest.Digest][]digest.Digest
	// tops are the configs whose image's chain ends in a snapshot.
	tops map[inventory.SnapshotKey][]digest.Digest
	// byHex are the digests of units and of what blobs refer to, sorted by
	// what follows the algorithm; nil until asked for.
	byHex []digest.Digest
	// found are the units above the blobs that were asked for, stands what the
	// snapshots stand on that were.
	found  map[digest.Digest][]*Unit
	stands map[inventory.SnapshotKey]stand
}

// stand is what a snapshot stands on: the units whose chains end in the
// snapshot top. Exact says that no other image's layer lies between: the
// snapshot, or snapshots that are not layers, stand right on the top.
type stand struct {
	units []*Unit
	top   inventory.SnapshotKey
	exact bool
}

// NewCatalog groups the records of a namespace by their targets, and indexes its blobs
// as a containerd of that release sees them.
func NewCatalog(ns *inventory.Namespace, v gc.Release) *Catalog {
	c := &Catalog{
		ns:        ns,
		Units:     make(map[digest.Digest]*Unit, len(ns.Images)),
		named:     make(map[string][]*images.Image, len(ns.Images)),
		Parents:   make(map[digest.Digest][]digest.Digest, len(ns.Blobs)),
		referrers: make(map[digest.Digest][]digest.Digest),
		tops:      make(map[inventory.SnapshotKey][]digest.Digest),
		found:     make(map[digest.Digest][]*Unit),
		stands:    make(map[inventory.SnapshotKey]stand),
	}
	for i := range ns.Images {
		image := &ns.Images[i]
		u := c.Units[image.Target.Digest]
		if u == nil {
			u = &Unit{Target: image.Target.Digest}
			c.Units[u.Target] = u
		}
		u.Records = append(u.Records, image)
		c.named[image.Name] = append(c.named[image.Name], image)
		if full := Normalize(image.Name); full != "" && full != image.Name {
			c.named[full] = append(c.named[full], image)
		}
	}
	for dgst, blob := range ns.Blobs {
		c.indexBlob(v, dgst, blob.Labels)
	}
	// The lists whose order shows are short, the blobs are many.
	for _, configs := range c.tops {
		slices.Sort(configs)
	}
	for _, subjects := range c.referrers {
		slices.Sort(subjects)
	}
	return c
}

func (c *Catalog) indexBlob(v gc.Release, dgst digest.Digest, labels inventory.Labels) {
	for _, label := range labels {
		key, value := label.Key, label.Value
		if snapshotter, ok := strings.CutPrefix(key, store.SnapshotLabel); ok {
			snapshotter, _, _ = strings.Cut(snapshotter, "/")
			top := inventory.SnapshotKey{Snapshotter: snapshotter, Key: value}
			c.tops[top] = append(c.tops[top], dgst)
			continue
		}
		if r, ok := gc.ParseRef(v, c.ns.Name, key, value); ok && r.How == gc.Forward && r.To.Kind == graph.KindContent {
			child := digest.Digest(r.To.Key)
			c.Parents[child] = append(c.Parents[child], dgst)
			if strings.HasPrefix(key, referrerLabel) {
				c.referrers[child] = append(c.referrers[child], dgst)
			}
		}
	}
}

// record returns the records that a name may mean: the one of exactly that
// name, else those that a client would read it as.
func (c *Catalog) record(name string) []*images.Image {
	if found := c.named[name]; len(found) > 0 {
		return found
	}
	if full := Normalize(name); full != "" {
		return c.named[full]
	}
	return nil
}

// Containing returns the units whose target is the blob, else all whose
// target reaches it, sorted by target.
func (c *Catalog) Containing(blob digest.Digest) []*Unit {
	if u, ok := c.Units[blob]; ok {
		return []*Unit{u}
	}
	return c.above(blob)
}

// above returns the units whose target reaches the blob through others, sorted
// by target. The search goes up from the blob, so it costs what stands above
// it, the first time that it is asked for.
func (c *Catalog) above(blob digest.Digest) []*Unit {
	found, known := c.found[blob]
	if known {
		return found
	}
	seen := map[digest.Digest]bool{blob: true}
	for gray := []digest.Digest{blob}; len(gray) > 0; {
		next := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		for _, parent := range c.Parents[next] {
			if seen[parent] {
				continue
			}
			seen[parent] = true
			gray = append(gray, parent)
			if u, isUnit := c.Units[parent]; isUnit {
				found = append(found, u)
			}
		}
	}
	slices.SortFunc(found, compareUnits)
	found = slices.Clip(found)
	c.found[blob] = found
	return found
}

// MinPrefix is the shortest beginning of an image ID that is looked up; docker
// prints twelve digits.
const MinPrefix = 4

// prefixed returns the units whose target or config digest begins with the
// hexadecimal digits, which may follow "sha256:".
func (c *Catalog) prefixed(id string) []*Unit {
	var found []*Unit
	for dgst := range c.beginning(id) {
		if u := c.Units[dgst]; u != nil {
			found = append(found, u)
		} else {
			found = append(found, c.above(dgst)...)
		}
	}
	return found
}

// beginningOfID returns the hexadecimal digits of a text that an ID may begin with.
func beginningOfID(text string) (hex string, ok bool) {
	hex = strings.TrimPrefix(text, "sha256:")
	return hex, hex != "" && strings.Trim(hex, "0123456789abcdef") == ""
}

// beginning yields the digests of units and of what blobs refer to that begin
// with the hexadecimal digits, which may follow "sha256:".
func (c *Catalog) beginning(id string) iter.Seq[digest.Digest] {
	return func(yield func(digest.Digest) bool) {
		hex, ok := beginningOfID(id)
		if !ok || len(hex) < MinPrefix {
			return
		}
		if c.byHex == nil {
			c.indexHex()
		}
		at, _ := slices.BinarySearchFunc(c.byHex, hex, func(d digest.Digest, hex string) int { return strings.Compare(Encoded(d), hex) })
		for _, dgst := range c.byHex[at:] {
			if !strings.HasPrefix(Encoded(dgst), hex) || !yield(dgst) {
				return
			}
		}
	}
}

// indexHex sorts all digests that a beginning of an ID may mean. Most stores
// have no container that is known by one, so it is made when it is needed.
func (c *Catalog) indexHex() {
	c.byHex = make([]digest.Digest, 0, len(c.Units)+len(c.Parents))
	c.byHex = slices.AppendSeq(c.byHex, maps.Keys(c.Units))
	for dgst := range c.Parents {
		if c.Units[dgst] == nil {
			c.byHex = append(c.byHex, dgst)
		}
	}
	slices.SortFunc(c.byHex, func(a, b digest.Digest) int {
		return cmp.Or(strings.Compare(Encoded(a), Encoded(b)), cmp.Compare(a, b))
	})
}

// Encoded is what follows the algorithm of a digest, which may be malformed.
func Encoded(d digest.Digest) string {
	_, hex, _ := strings.Cut(d.String(), ":")
	return hex
}

// chain returns the units on whose chain a snapshot stands. Each snapshot is looked at once,
// however many stand on it; one that is being looked at stands on a circle.
func (c *Catalog) chain(key inventory.SnapshotKey) stand {
	var way []inventory.SnapshotKey
	for key.Key != "" {
		if _, known := c.stands[key]; known {
			break
		}
		if units := c.endingIn(key); len(units) > 0 {
			c.stands[key] = stand{units, key, true}
			break
		}
		c.stands[key] = stand{}
		way = append(way, key)
		key.Key = c.ns.Snapshots[key].Parent
	}
	s := c.stands[key]
	for _, above := range slices.Backward(way) {
		// Unpacked layers are named by their chain ID, a digest.
		s.exact = s.exact && digest.Digest(above.Key).Validate() != nil
		c.stands[above] = s
	}
	return s
}

// endingIn returns the units whose chain ends in a snapshot, sorted by target.
func (c *Catalog) endingIn(key inventory.SnapshotKey) (found []*Unit) {
	for _, config := range c.tops[key] {
		found = append(found, c.Containing(config)...)
	}
	slices.SortFunc(found, compareUnits)
	return found
}

func compareUnits(a, b *Unit) int { return cmp.Compare(a.Target, b.Target) }
