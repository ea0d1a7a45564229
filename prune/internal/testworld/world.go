package testworld

import (
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// A World says what is in a store, by namespace. [World.Build] makes a store of
// it, [World.Inventory] what would be read of that store.
//
// Blobs go by the text that is written in them; [Digest] gives their digests. A
// label may name what is not there.
type World map[string][]Thing

// A Thing is one object of a namespace. The functions named after the kinds of
// objects make them.
type Thing struct {
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
	View        bool   // of a snapshot: mounted to be read
	Snapshotter string // of a snapshot or a container
	Labels      map[string]string
	Extensions  map[string]string
	Holds       []leases.Resource
	// Only tables of plans set these.
	Created, Updated time.Time
	Annotations      map[string]string
	Subject          digest.Digest
}

// An Attr adds to a thing: a label, mostly.
type Attr func(*Thing)

func makeThing(what graph.Kind, name string, attrs []Attr) Thing {
	t := Thing{What: what, Name: name, Snapshotter: "memory", Labels: map[string]string{}}
	for _, add := range attrs {
		add(&t)
	}
	return t
}

// Blob is a blob that holds the text: see [Body].
func Blob(text string, attrs ...Attr) Thing { return makeThing(graph.KindContent, text, attrs) }

// Snapshot is a committed snapshot; its parent must come before it.
func Snapshot(key, parent string, attrs ...Attr) Thing {
	t := makeThing(graph.KindSnapshot, key, attrs)
	t.Of = parent
	return t
}

// Active is a snapshot that is being written, such as that of a container.
func Active(key, parent string, attrs ...Attr) Thing {
	t := Snapshot(key, parent, attrs...)
	t.Active = true
	return t
}

// View is a snapshot that is mounted to be read.
func View(key, parent string, attrs ...Attr) Thing {
	t := Snapshot(key, parent, attrs...)
	t.View = true
	return t
}

func (t Thing) snapshotKind() snapshots.Kind {
	switch {
	case t.Active:
		return snapshots.KindActive
	case t.View:
		return snapshots.KindView
	default:
		return snapshots.KindCommitted
	}
}

// Record is an image record; its target need not be there.
func Record(name, target string, attrs ...Attr) Thing {
	t := makeThing(graph.KindImage, name, attrs)
	t.Of = target
	return t
}

// Container is a container of that image, on that snapshot; both may be "".
func Container(id, image, snapshot string, attrs ...Attr) Thing {
	t := makeThing(graph.KindContainer, id, attrs)
	t.Of, t.Key = image, snapshot
	return t
}

// PodSandbox is a record of the sandbox store.
func PodSandbox(id string, attrs ...Attr) Thing { return makeThing(graph.KindSandbox, id, attrs) }

// HistoryLease is an ID as buildkit gives to a lease of its history.
const HistoryLease = "ref_f5lxx1zz5pnorynqglhzmsp33"

// Lease is a lease; [Holding] and [Expiring] say the rest.
func Lease(id string, attrs ...Attr) Thing { return makeThing(graph.KindLease, id, attrs) }

// Upload is an ingest. One that expects a blob of another namespace takes it
// from there without a transfer.
func Upload(ref, expects string, attrs ...Attr) Thing {
	t := makeThing(graph.KindIngest, ref, attrs)
	t.Of = expects
	return t
}

// LeasedTo makes an upload under a lease, which must come before it.
func LeasedTo(id string) Attr { return func(t *Thing) { t.Key = id } }

// In puts a snapshot, or a container's, into another snapshotter.
func In(snapshotter string) Attr { return func(t *Thing) { t.Snapshotter = snapshotter } }

// Extension adds an extension with that JSON to a container.
func Extension(name, json string) Attr {
	return func(t *Thing) {
		if t.Extensions == nil {
			t.Extensions = map[string]string{}
		}
		t.Extensions[name] = json
	}
}

// Holding makes a lease hold what the resources name.
func Holding(resources ...leases.Resource) Attr {
	return func(t *Thing) { t.Holds = append(t.Holds, resources...) }
}

// TheBlob names a blob for [Holding], as TheSnapshot, TheRecord and TheUpload
// name the others.
func TheBlob(text string) leases.Resource {
	return leases.Resource{Type: "content", ID: Digest(text).String()}
}

// TheSnapshot names a snapshot for [Holding].
func TheSnapshot(snapshotter, key string) leases.Resource {
	return leases.Resource{Type: "snapshots/" + snapshotter, ID: key}
}

// TheRecord names an image record for [Holding].
func TheRecord(name string) leases.Resource { return leases.Resource{Type: "images", ID: name} }

// TheUpload names an upload for [Holding].
func TheUpload(ref string) leases.Resource { return leases.Resource{Type: "ingests", ID: ref} }

// Times of labels, relative to the moment at which the tests run.
var (
	Started = time.Now()
	Earlier = Started.Add(-time.Hour)
	Later   = Started.Add(time.Hour)
)

// Unpacked is an image without a record: with a config and one layer, unpacked onto a chain that
// ends in the snapshot top.
func Unpacked(manifest, top, parent string) []Thing {
	return []Thing{
		Blob(manifest, RefContent(manifest+" config", ".config"), RefContent(manifest+" layer", ".l.0")),
		Blob(manifest+" config", RefSnapshot(top)), Blob(manifest + " layer"),
		Snapshot(top, parent),
	}
}

// Layer is the chain ID that an unpacked layer is named by.
func Layer(n string) string { return "sha256:" + strings.Repeat(n, 64) }

// Join puts groups of things together.
func Join(groups ...[]Thing) []Thing { return slices.Concat(groups...) }

// With adds things to a group.
func With(group []Thing, more ...Thing) []Thing { return slices.Concat(group, more) }
