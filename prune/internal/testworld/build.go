package testworld

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/metadata/boltutil"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	ptypes "github.com/containerd/containerd/v2/pkg/protobuf/types"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	bolt "go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
)

// testBolt opens databases that nobody needs after a crash.
var testBolt = &bolt.Options{NoSync: true, NoFreelistSync: true, NoGrowSync: true, FreelistType: bolt.FreelistMapType}

// emptyMeta is a database right after containerd's Init.
var emptyMeta = sync.OnceValue(func() []byte {
	dir := Must(os.MkdirTemp("", "prune-test-"))
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "meta.db")
	bdb := Must(bolt.Open(path, 0o600, testBolt))
	db := metadata.NewDB(bdb, nil, nil)
	if err := db.Init(context.Background()); err != nil {
		panic(err)
	}
	if err := db.Close(); err != nil {
		panic(err)
	}
	return Must(os.ReadFile(path))
})

// Build makes an embedded store of the world in a directory of its own. It is
// the product's own embedded store over containerd's metadata and content
// packages; only its snapshots have no files. Close it.
func (w World) Build(t TB, dir string) *root.RootStore {
	t.Helper()
	meta := filepath.Join(dir, "meta.db")
	if err := os.WriteFile(meta, emptyMeta(), 0o600); err != nil {
		t.Fatal(err)
	}
	bdb := Must(bolt.Open(meta, 0o600, testBolt))
	layout := root.RootLayout{Dir: dir, Meta: meta, Content: filepath.Join(dir, "content")}
	backends := map[string]snapshots.Snapshotter{"memory": newMemorySnapshotter(), "other": newMemorySnapshotter()}
	w.plant(t, layout.Content)
	db := metadata.NewDB(bdb, Must(local.NewStore(layout.Content)), backends)
	s := &root.RootStore{
		DB: db, Layout: layout,
		About:        store.StoreInfo{Kind: store.StoreRoot, Location: dir, ID: "world", Version: root.RootVersion(), Snapshotters: []string{"memory", "other"}},
		SandboxStore: metadata.NewSandboxStore(db),
		Snapshotters: db.Snapshotters(),
		Shut:         db.Close,
	}
	err := db.Update(func(tx *bolt.Tx) error {
		ctx := boltutil.WithTransaction(context.Background(), tx)
		for _, ns := range slices.Sorted(maps.Keys(w)) {
			if err := metadata.NewNamespaceStore(tx).Create(ctx, ns, nil); err != nil {
				return err
			}
			for _, thing := range w[ns] {
				if err := thing.Create(store.InNamespace(ctx, ns), s); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("building the world: %v", err)
	}
	return s
}

// plant puts the files of all blobs where the content store has them. Writing
// a blob then needs no file of its own, as when another namespace has it.
func (w World) plant(t TB, dir string) {
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, things := range w {
		for _, thing := range things {
			if thing.What != graph.KindContent {
				continue
			}
			if err := os.WriteFile(filepath.Join(blobs, Digest(thing.Name).Encoded()), []byte(Body(thing.Name)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Create writes the thing to the namespace of ctx.
func (t Thing) Create(ctx context.Context, s *root.RootStore) error {
	switch t.What {
	case graph.KindContent:
		desc := Descriptor(t.Name)
		return content.WriteBlob(ctx, s.Content(), "write-"+t.Name, strings.NewReader(Body(t.Name)), desc, content.WithLabels(t.Labels))
	case graph.KindSnapshot:
		return t.createSnapshot(ctx, s.Snapshotter(t.Snapshotter))
	case graph.KindImage:
		_, err := s.Images().Create(ctx, images.Image{Name: t.Name, Target: Descriptor(t.Of), Labels: t.Labels})
		return err
	case graph.KindContainer:
		_, err := s.Containers().Create(ctx, t.container())
		return err
	case graph.KindSandbox:
		_, err := s.Sandboxes().Create(ctx, sandbox.Sandbox{ID: t.Name, Labels: t.Labels})
		return err
	case graph.KindLease:
		return t.createLease(ctx, s.Leases())
	default:
		return t.createUpload(ctx, s.Content())
	}
}

func (t Thing) createSnapshot(ctx context.Context, sn snapshots.Snapshotter) error {
	key := t.Name
	if t.View {
		_, err := sn.View(ctx, key, t.Of, snapshots.WithLabels(t.Labels))
		return err
	}
	if !t.Active {
		key += "-extract"
	}
	if _, err := sn.Prepare(ctx, key, t.Of, snapshots.WithLabels(t.Labels)); err != nil || t.Active {
		return err
	}
	return sn.Commit(ctx, t.Name, key, snapshots.WithLabels(t.Labels))
}

func (t Thing) container() containers.Container {
	c := containers.Container{
		ID: t.Name, Image: t.Of, Snapshotter: t.Snapshotter, SnapshotKey: t.Key, Labels: t.Labels,
		Runtime: containers.RuntimeInfo{Name: "none"},
		Spec:    &ptypes.Any{TypeUrl: "test", Value: []byte("{}")},
	}
	if t.Key == "" {
		c.Snapshotter = ""
	}
	for name, json := range t.Extensions {
		if c.Extensions == nil {
			c.Extensions = make(map[string]typeurl.Any)
		}
		c.Extensions[name] = &ptypes.Any{TypeUrl: name, Value: []byte(json)}
	}
	return c
}

func (t Thing) createLease(ctx context.Context, manager leases.Manager) error {
	lease, err := manager.Create(ctx, leases.WithID(t.Name), leases.WithLabels(t.Labels))
	if err != nil {
		return err
	}
	for _, resource := range t.Holds {
		if err := manager.AddResource(ctx, lease, resource); err != nil {
			return err
		}
	}
	return nil
}

func (t Thing) createUpload(ctx context.Context, store content.Store) error {
	opts := []content.WriterOpt{content.WithRef(t.Name)}
	if t.Of != "" {
		opts = append(opts, content.WithDescriptor(Descriptor(t.Of)))
	}
	if t.Key != "" {
		ctx = leases.WithLease(ctx, t.Key)
	}
	w, err := store.Writer(ctx, opts...)
	if errdefs.IsAlreadyExists(err) {
		return nil // the namespace has the blob: there is nothing to upload
	}
	if err != nil {
		return err
	}
	return w.Close()
}

// NewDirs returns a function that makes directories, each with what removes it.
func NewDirs(t *testing.T) func() (dir string, remove func()) {
	parent, n := t.TempDir(), 0
	return func() (string, func()) {
		n++
		dir := filepath.Join(parent, fmt.Sprint(n))
		Must(0, os.Mkdir(dir, 0o700))
		return dir, func() { Must(0, os.RemoveAll(dir)) }
	}
}
