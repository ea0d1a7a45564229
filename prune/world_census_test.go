package prune

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"

	bolt "go.etcd.io/bbolt"
)

// census lists everything that the collector takes or leaves, as lines such as
// "default content sha256:…". It reads the store by containerd's services and
// shares no code with Read.
func census(t tester, s *root.RootStore) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	for _, ns := range must(s.Namespaces(context.Background())) {
		ctx := store.InNamespace(context.Background(), ns)
		add := func(what, name string) { found[ns+" "+what+" "+name] = true }
		for _, image := range must(s.Images().List(ctx)) {
			add("image", image.Name)
		}
		for _, lease := range must(s.Leases().List(ctx)) {
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

// foretold lists in the same way what the model expects to be left.
func foretold(inv *inventory.Inventory, after graph.Reached, decisions []rules.Decision) map[string]bool {
	found := make(map[string]bool)
	names := map[graph.Kind]string{
		graph.KindImage: "image", graph.KindLease: "lease", graph.KindContent: "content", graph.KindSnapshot: "snapshot", graph.KindIngest: "ingest",
	}
	add := func(n graph.Node) {
		if after.Holds(n) {
			found[n.Ns+" "+names[n.Kind]+" "+n.Key] = true
		}
	}
	for _, ns := range inv.Namespaces {
		for _, image := range ns.Images {
			add(graph.Node{Kind: graph.KindImage, Ns: ns.Name, Key: image.Name})
		}
		for _, lease := range ns.Leases {
			add(graph.Node{Kind: graph.KindLease, Ns: ns.Name, Key: lease.ID})
		}
		for dgst := range ns.Blobs {
			add(graph.Node{Kind: graph.KindContent, Ns: ns.Name, Key: dgst.String()})
		}
		for key := range ns.Snapshots {
			add(graph.Node{Kind: graph.KindSnapshot, Ns: ns.Name, Key: key.String()})
		}
		for _, ingest := range ns.Ingests {
			add(graph.Node{Kind: graph.KindIngest, Ns: ns.Name, Key: ingest.Ref})
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
func ingests(t tester, s *root.RootStore, ns string) []content.Status {
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

// differences says what is in only one of two censuses.
func differences(want, got map[string]bool) string {
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

// legend names the digests of a text by what is written in their blobs.
func legend(text string) string {
	for _, blob := range randomBlobs {
		text = strings.ReplaceAll(text, dig(blob).String(), "«"+blob+"»")
	}
	return text
}

// String writes a world in its language, for the one who has to find out.
func (w world) String() string {
	var b strings.Builder
	for _, ns := range slices.Sorted(maps.Keys(w)) {
		fmt.Fprintf(&b, "%s:\n", ns)
		for _, t := range w[ns] {
			fmt.Fprintf(&b, "\t%s\n", t)
		}
	}
	return legend(b.String())
}

func (t thing) String() string {
	names := map[graph.Kind]string{
		graph.KindImage: "record", graph.KindLease: "lease", graph.KindContent: "blob", graph.KindSnapshot: "snapshot", graph.KindIngest: "upload",
		graph.KindContainer: "container", graph.KindSandbox: "podSandbox",
	}
	text := fmt.Sprintf("%s(%q, %q, %q)", names[t.What], t.Name, t.Of, t.Key)
	if t.What == graph.KindSnapshot || t.What == graph.KindContainer {
		text += " in " + t.Snapshotter
	}
	for _, resource := range t.Holds {
		text += fmt.Sprintf(" holding %s %s", resource.Type, resource.ID)
	}
	for _, key := range slices.Sorted(maps.Keys(t.Labels)) {
		text += fmt.Sprintf(" %s=%s", strings.TrimPrefix(key, "containerd.io/"), t.Labels[key])
	}
	return text
}
