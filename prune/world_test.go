package prune

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A world is a store in the making: its namespaces and what is in them. The
// functions of this file and of world_labels_test.go are a small language to
// write worlds in:
//
//	world{"default": {
//		blob("manifest", refContent("config"), refContent("layer")),
//		blob("config", refSnapshot("top")), blob("layer"),
//		snapshot("base", ""), snapshot("top", "base"),
//		record("docker.io/library/a:1", "manifest"),
//		container("c", "docker.io/library/a:1", "rw"), active("rw", "top"),
//		lease("pull", holding(theBlob("layer")), expiring(later)),
//	}}
//
// Blobs go by what is written in them; dig gives their digests. A label may
// name what is not there.
type world map[string][]thing

// thing is one object of a namespace.
type thing struct {
	What graph.Kind
	// Name is the text of a blob, the key of a snapshot, the name or ID of
	// everything else.
	Name string
	// Of is the target of a record, the parent of a snapshot, the image of a
	// container, the blob that an upload expects.
	Of string
	// Key is the snapshot of a container, the lease of an upload.
	Key         string
	Active      bool   // of a snapshot: not committed
	Snapshotter string // of a snapshot or a container
	Labels      map[string]string
	Extensions  map[string]string
	Holds       []leases.Resource
	// Only tables of plans set these.
	Created, Updated time.Time
	Annotations      map[string]string
	Subject          digest.Digest
}

// attr adds to a thing: a label, mostly.
type attr func(*thing)

func makeThing(what graph.Kind, name string, attrs []attr) thing {
	t := thing{What: what, Name: name, Snapshotter: "memory", Labels: map[string]string{}}
	for _, add := range attrs {
		add(&t)
	}
	return t
}

func blob(text string, attrs ...attr) thing { return makeThing(graph.KindContent, text, attrs) }

// snapshot is a committed snapshot; its parent must come before it.
func snapshot(key, parent string, attrs ...attr) thing {
	t := makeThing(graph.KindSnapshot, key, attrs)
	t.Of = parent
	return t
}

// active is a snapshot that is being written, such as that of a container.
func active(key, parent string, attrs ...attr) thing {
	t := snapshot(key, parent, attrs...)
	t.Active = true
	return t
}

// record is an image record; its target need not be there.
func record(name, target string, attrs ...attr) thing {
	t := makeThing(graph.KindImage, name, attrs)
	t.Of = target
	return t
}

func container(id, image, snapshot string, attrs ...attr) thing {
	t := makeThing(graph.KindContainer, id, attrs)
	t.Of, t.Key = image, snapshot
	return t
}

func podSandbox(id string, attrs ...attr) thing { return makeThing(graph.KindSandbox, id, attrs) }

// historyLease is an ID as buildkit gives to a lease of its history.
const historyLease = "ref_f5lxx1zz5pnorynqglhzmsp33"

func lease(id string, attrs ...attr) thing { return makeThing(graph.KindLease, id, attrs) }

// upload is an ingest. One that expects a blob of another namespace takes it
// from there without a transfer.
func upload(ref, expects string, attrs ...attr) thing {
	t := makeThing(graph.KindIngest, ref, attrs)
	t.Of = expects
	return t
}

// leasedTo makes an upload under a lease, which must come before it.
func leasedTo(id string) attr { return func(t *thing) { t.Key = id } }

// in puts a snapshot, or a container's, into another snapshotter.
func in(snapshotter string) attr { return func(t *thing) { t.Snapshotter = snapshotter } }

// extension adds an extension with that JSON to a container.
func extension(name, json string) attr {
	return func(t *thing) {
		if t.Extensions == nil {
			t.Extensions = map[string]string{}
		}
		t.Extensions[name] = json
	}
}

// holding makes a lease hold what the resources name.
func holding(resources ...leases.Resource) attr {
	return func(t *thing) { t.Holds = append(t.Holds, resources...) }
}

func theBlob(text string) leases.Resource {
	return leases.Resource{Type: "content", ID: dig(text).String()}
}

func theSnapshot(snapshotter, key string) leases.Resource {
	return leases.Resource{Type: "snapshots/" + snapshotter, ID: key}
}

func theRecord(name string) leases.Resource { return leases.Resource{Type: "images", ID: name} }

func theUpload(ref string) leases.Resource { return leases.Resource{Type: "ingests", ID: ref} }

// body is what a blob holds: its text, so many times that lengths differ, or
// the text itself if it is JSON.
func body(text string) string {
	if strings.HasPrefix(text, "{") {
		return text
	}
	return strings.Repeat(text+"\n", 1+len(text)*int(text[0])%97)
}

// manifestOf writes a manifest with a config and perhaps a subject.
func manifestOf(config, subject string) string {
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: descriptor(config)}
	if subject != "" {
		m.Subject = &ocispec.Descriptor{MediaType: m.MediaType, Digest: dig(subject), Size: int64(len(body(subject)))}
	}
	return string(must(json.Marshal(m)))
}

// indexOf writes an index of manifests.
func indexOf(mediaType string, texts ...string) string {
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	for _, text := range texts {
		d := descriptor(text)
		d.MediaType = mediaType
		index.Manifests = append(index.Manifests, d)
	}
	return string(must(json.Marshal(index)))
}

// configOf writes an image config with labels.
func configOf(labels map[string]string) string {
	return string(must(json.Marshal(ocispec.Image{Config: ocispec.ImageConfig{Labels: labels}})))
}

// dig is the digest of the blob of that text.
func dig(text string) digest.Digest {
	if text == "" {
		return ""
	}
	return digest.FromString(body(text))
}

// Times of labels, relative to the moment at which the tests run.
var (
	started = time.Now()
	earlier = started.Add(-time.Hour)
	later   = started.Add(time.Hour)
)
