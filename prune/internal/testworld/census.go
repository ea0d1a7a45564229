package testworld

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
)

// Census lists everything that the collector takes or leaves, as lines such as
// "default content sha256:…". It reads the store by containerd's services and
// shares no code with Read.
func Census(t TB, s *root.RootStore) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	for _, ns := range Must(s.Namespaces(context.Background())) {
		ctx := store.InNamespace(context.Background(), ns)
		add := func(what, name string) { found[ns+" "+what+" "+name] = true }
		for _, image := range Must(s.Images().List(ctx)) {
			add("image", image.Name)
		}
		for _, lease := range Must(s.Leases().List(ctx)) {
			add("lease", lease.ID)
		}
		err := s.Content().Walk(ctx, func(info content.Info) error { add("content", info.Digest.String()); return nil })
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range s.About.Snapshotters {
			err := s.Snapshotter(name).Walk(ctx, func(_ context.Context, info snapshots.Info) error {
				add("snapshot", name+"/"+info.Name)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, ingest := range ingests(t, s, ns) {
			add("ingest", ingest.Ref)
		}
	}
	return found
}

// Foretold lists in the same way what the model expects to be left.
func Foretold(inv *inventory.Inventory, after graph.Reached, decisions []rules.Decision) map[string]bool {
	found := make(map[string]bool)
	names := map[graph.Kind]string{
		graph.KindImage: "image", graph.KindLease: "lease", graph.KindContent: "content", graph.KindSnapshot: "snapshot", graph.KindIngest: "ingest",
	}
	add := func(n graph.Node) {
		if after.Holds(n) {
			found[n.Namespace+" "+names[n.Kind]+" "+n.Key] = true
		}
	}
	for _, ns := range inv.Namespaces {
		for _, image := range ns.Images {
			add(graph.Node{Kind: graph.KindImage, Namespace: ns.Name, Key: image.Name})
		}
		for _, lease := range ns.Leases {
			add(graph.Node{Kind: graph.KindLease, Namespace: ns.Name, Key: lease.ID})
		}
		for dgst := range ns.Blobs {
			add(graph.Node{Kind: graph.KindContent, Namespace: ns.Name, Key: dgst.String()})
		}
		for key := range ns.Snapshots {
			add(graph.Node{Kind: graph.KindSnapshot, Namespace: ns.Name, Key: key.String()})
		}
		for _, ingest := range ns.Ingests {
			add(graph.Node{Kind: graph.KindIngest, Namespace: ns.Name, Key: ingest.Ref})
		}
	}
	for _, d := range decisions {
		if d.Gone() { // a name that is gone may still be referred to
			delete(found, d.Namespace+" image "+d.Name)
		}
		if d.Action == rules.StandIn {
			found[d.Namespace+" image "+d.StandIn] = true
		}
	}
	return found
}

// ingests reads the uploads of a namespace from the database: containerd's API
// does not list those that wait for a blob of another namespace, nor tells
// which were made under a lease and so have no time of their own.
func ingests(t TB, s *root.RootStore, ns string) []content.Status {
	t.Helper()
	var all []content.Status
	err := s.DB.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("v1"))
		for _, name := range []string{ns, "content", "ingests"} {
			if b = b.Bucket([]byte(name)); b == nil {
				return nil
			}
		}
		return b.ForEachBucket(func(ref []byte) error {
			status := content.Status{Ref: string(ref), Expected: digest.Digest(b.Bucket(ref).Get([]byte("expected")))}
			if v := b.Bucket(ref).Get([]byte("expireat")); v != nil {
				var expires time.Time
				if err := expires.UnmarshalBinary(v); err != nil {
					return err
				}
				status.StartedAt = expires.Add(-gc.IngestExpiry)
			}
			all = append(all, status)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Differences says what is in only one of two censuses.
func Differences(want, got map[string]bool) string {
	var b strings.Builder
	for _, line := range slices.Sorted(maps.Keys(want)) {
		if !got[line] {
			fmt.Fprintf(&b, "gone, although held by the model: %s\n", line)
		}
	}
	for _, line := range slices.Sorted(maps.Keys(got)) {
		if !want[line] {
			fmt.Fprintf(&b, "there, although not held by the model: %s\n", line)
		}
	}
	return b.String()
}

// ReadWhole reads a store with all sizes, and with the uploads that
// containerd's API does not show.
func ReadWhole(t TB, s *root.RootStore) *inventory.Inventory {
	t.Helper()
	inv, err := read.ReadMeasured(context.Background(), s, inventory.Scope{AllNamespaces: true}, time.Now(), read.ReadOptions{}, (*gc.Collector).AllSnapshots)
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range inv.Namespaces {
		ns.Ingests = ingests(t, s, ns.Name)
	}
	return inv
}

// DiskUse adds up the blobs on the disk, by a walk of its own.
func DiskUse(t TB, s *root.RootStore) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.Layout.Content, "blobs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
