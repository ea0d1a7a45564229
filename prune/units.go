package prune

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// unit is all records of a namespace with the same target.
type unit struct {
	target  digest.Digest
	records []*images.Image // sorted by name
}

// catalog finds the units of one namespace by what others call them.
type catalog struct {
	ns    *Namespace
	units map[digest.Digest]*unit
	// named finds a record by its name and by its normalized name.
	named map[string][]*images.Image
	// parents are the blobs whose labels refer to a blob.
	parents map[digest.Digest][]digest.Digest
	// referrers are the subjects that a blob's labels tie a referrer to.
	referrers map[digest.Digest][]digest.Digest
	// tops are the configs whose image's chain ends in a snapshot.
	tops map[SnapshotKey][]digest.Digest
	// byHex are the digests of units and of what blobs refer to, sorted by
	// what follows the algorithm; nil until asked for.
	byHex []digest.Digest
	// found are the units above the blobs that were asked for, stands what the
	// snapshots stand on that were.
	found  map[digest.Digest][]*unit
	stands map[SnapshotKey]stand
}

// stand is what a snapshot stands on: the units whose chains end in the
// snapshot top. Exact says that no other image's layer lies between: the
// snapshot, or snapshots that are not layers, stand right on the top.
type stand struct {
	units []*unit
	top   SnapshotKey
	exact bool
}

func newCatalog(ns *Namespace, v release) *catalog {
	c := &catalog{
		ns:        ns,
		units:     make(map[digest.Digest]*unit, len(ns.Images)),
		named:     make(map[string][]*images.Image, len(ns.Images)),
		parents:   make(map[digest.Digest][]digest.Digest, len(ns.Blobs)),
		referrers: make(map[digest.Digest][]digest.Digest),
		tops:      make(map[SnapshotKey][]digest.Digest),
		found:     make(map[digest.Digest][]*unit),
		stands:    make(map[SnapshotKey]stand),
	}
	for i := range ns.Images {
		image := &ns.Images[i]
		u := c.units[image.Target.Digest]
		if u == nil {
			u = &unit{target: image.Target.Digest}
			c.units[u.target] = u
		}
		u.records = append(u.records, image)
		c.named[image.Name] = append(c.named[image.Name], image)
		if full := normalize(image.Name); full != "" && full != image.Name {
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

func (c *catalog) indexBlob(v release, dgst digest.Digest, labels map[string]string) {
	for key, value := range labels {
		if !strings.HasPrefix(key, labelPrefix) {
			continue
		}
		if snapshotter, ok := strings.CutPrefix(key, leases.SnapshotLabel); ok {
			snapshotter, _, _ = strings.Cut(snapshotter, "/")
			top := SnapshotKey{snapshotter, value}
			c.tops[top] = append(c.tops[top], dgst)
			continue
		}
		if r, ok := parseRef(v, c.ns.Name, key, value); ok && r.how == forward && r.to.kind == kindContent {
			child := digest.Digest(r.to.key)
			c.parents[child] = append(c.parents[child], dgst)
			if strings.HasPrefix(key, referrerLabel) {
				c.referrers[child] = append(c.referrers[child], dgst)
			}
		}
	}
}

// record returns the records that a name may mean: the one of exactly that
// name, else those that a client would read it as.
func (c *catalog) record(name string) []*images.Image {
	if found := c.named[name]; len(found) > 0 {
		return found
	}
	if full := normalize(name); full != "" {
		return c.named[full]
	}
	return nil
}

// containing returns the units whose target is the blob, else all whose
// target reaches it, sorted by target.
func (c *catalog) containing(blob digest.Digest) []*unit {
	if u, ok := c.units[blob]; ok {
		return []*unit{u}
	}
	return c.above(blob)
}

// above returns the units whose target reaches the blob through others, sorted
// by target. The search goes up from the blob, so it costs what stands above
// it, the first time that it is asked for.
func (c *catalog) above(blob digest.Digest) []*unit {
	found, known := c.found[blob]
	if known {
		return found
	}
	seen := map[digest.Digest]bool{blob: true}
	for gray := []digest.Digest{blob}; len(gray) > 0; {
		next := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		for _, parent := range c.parents[next] {
			if seen[parent] {
				continue
			}
			seen[parent] = true
			gray = append(gray, parent)
			if u, isUnit := c.units[parent]; isUnit {
				found = append(found, u)
			}
		}
	}
	slices.SortFunc(found, func(a, b *unit) int { return cmp.Compare(a.target, b.target) })
	found = slices.Clip(found)
	c.found[blob] = found
	return found
}

// minPrefix is the shortest beginning of an image ID that is looked up; docker
// prints twelve digits.
const minPrefix = 4

// prefixed returns the units whose target or config digest begins with the
// hexadecimal digits, which may follow "sha256:".
func (c *catalog) prefixed(id string) []*unit {
	hex := strings.TrimPrefix(id, "sha256:")
	if len(hex) < minPrefix || strings.Trim(hex, "0123456789abcdef") != "" {
		return nil
	}
	if c.byHex == nil {
		c.indexHex()
	}
	var found []*unit
	at, _ := slices.BinarySearchFunc(c.byHex, hex, func(d digest.Digest, hex string) int { return strings.Compare(encoded(d), hex) })
	for _, dgst := range c.byHex[at:] {
		if !strings.HasPrefix(encoded(dgst), hex) {
			break
		}
		if u := c.units[dgst]; u != nil {
			found = append(found, u)
		} else {
			found = append(found, c.above(dgst)...)
		}
	}
	return found
}

// indexHex sorts all digests that a beginning of an ID may mean. Most stores
// have no container that is known by one, so it is made when it is needed.
func (c *catalog) indexHex() {
	c.byHex = make([]digest.Digest, 0, len(c.units)+len(c.parents))
	c.byHex = slices.AppendSeq(c.byHex, maps.Keys(c.units))
	for dgst := range c.parents {
		if c.units[dgst] == nil {
			c.byHex = append(c.byHex, dgst)
		}
	}
	slices.SortFunc(c.byHex, func(a, b digest.Digest) int {
		return cmp.Or(strings.Compare(encoded(a), encoded(b)), cmp.Compare(a, b))
	})
}

// encoded is what follows the algorithm of a digest, which may be malformed.
func encoded(d digest.Digest) string {
	_, hex, _ := strings.Cut(d.String(), ":")
	return hex
}

// chain returns the units on whose chain a snapshot stands. Each snapshot is looked at once,
// however many stand on it; one that is being looked at stands on a circle.
func (c *catalog) chain(key SnapshotKey) stand {
	var way []SnapshotKey
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

// endingIn returns the units whose chain ends in a snapshot.
func (c *catalog) endingIn(key SnapshotKey) (found []*unit) {
	for _, config := range c.tops[key] {
		found = append(found, c.containing(config)...)
	}
	return found
}

// maxName is longer than any name with its tag and digest.
const maxName = reference.RepositoryNameTotalLengthMax + 512

// normalize spells a name as containerd's clients do, "" if it is none.
func normalize(name string) string {
	if len(name) > maxName {
		return ""
	}
	ref, err := reference.ParseDockerRef(name)
	if err != nil {
		return ""
	}
	return ref.String()
}

// familiar spells a name as people do, itself if it is none.
func familiar(name string) string {
	if len(name) > maxName {
		return name
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	short := reference.FamiliarString(ref)
	if again, err := reference.ParseNormalizedNamed(short); err != nil || again.String() != ref.String() {
		return ref.String() // without its domain the next part would be taken for one
	}
	return short
}
