package explain_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/explain"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func explained(t *testing.T, inv *inventory.Inventory, text string) *explain.Explanation {
	t.Helper()
	e, err := tw.ExplainedBy(inv, text, rules.Policy{AllNamespaces: true, Filters: filters.Everything()}, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return e
}

func TestExplainFinds(t *testing.T) {
	inv := tw.UsageStore()
	top := digest.FromString("go-top")
	for text, want := range map[string]graph.Object{
		"go:1":            {Kind: "image", Namespace: "default", Name: "docker.io/library/go:1"},
		"library/keep:1":  {Kind: "image", Namespace: "default", Name: "docker.io/library/keep:1"},
		"library/keep":    {Kind: "image", Namespace: "default", Name: "docker.io/library/keep:1"},
		"c":               {Kind: "container", Namespace: "default", Name: "c"}, // rather than its snapshot
		"bui":             {Kind: "lease", Namespace: "default", Name: "build"},
		top.String():      {Kind: "content", Namespace: "default", Name: top.String()},
		top.Encoded()[:8]: {Kind: "content", Namespace: "default", Name: top.String()},
		"overlayfs/c":     {Kind: "snapshot", Namespace: "default", Name: "overlayfs/c"},
	} {
		if got := explained(t, inv, text).Object; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	_, err := tw.ExplainedBy(inv, "docker.io", rules.Policy{AllNamespaces: true}, time.Time{})
	var many *explain.AmbiguousError
	if !errors.As(err, &many) || len(many.Candidates) != 2 || many.Total != 2 {
		t.Errorf("the beginning of two: %v", err)
	}
	var none *rules.PolicyError
	if _, err := tw.ExplainedBy(inv, "ke", rules.Policy{AllNamespaces: true}, time.Time{}); !errors.As(err, &none) {
		t.Errorf("too short: %v", err)
	}
}

func TestExplainTellsOfAnImage(t *testing.T) {
	e := explained(t, tw.UsageStore(), "keep:1")
	if diff := cmp.Diff([]string{"container c"}, e.UsedBy); diff != "" {
		t.Errorf("used by (-want +got):\n%s", diff)
	}
	if e.Frees != (inventory.Amount{Blobs: 3, ContentBytes: 53, TotalBytes: 53}) {
		t.Errorf("frees %+v", e.Frees)
	}
	if len(e.Decisions) != 1 || e.Decisions[0].Action != rules.Keep {
		t.Errorf("decisions: %+v", e.Decisions)
	}
	manifest := e.Parts[0]
	var got []string
	for _, p := range manifest.Parts {
		got = append(got, string(p.Kind))
	}
	if want := []string{"config", "layer", "layer"}; !slices.Equal(got, want) || manifest.Kind != df.KindManifest {
		t.Errorf("parts of %s: %q, want %q", manifest.Kind, got, want)
	}
	if base, top := manifest.Parts[1], manifest.Parts[2]; !base.Shared || top.Shared || base.Layer != 1 || top.Layer != 2 || top.Bytes != 50 {
		t.Errorf("layers: %+v, %+v", base, top)
	}
	snapshot := manifest.Parts[0].Parts
	if len(snapshot) != 1 || snapshot[0].Kind != df.KindSnapshot || !snapshot[0].Shared || snapshot[0].Bytes != 200 {
		t.Errorf("snapshots of the config: %+v", snapshot)
	}
}

// A blob that lists itself, and one of which parts are missing, come to an end.
func TestExplainOfOddContent(t *testing.T) {
	inv := tw.UsageStore()
	ns := inv.Namespaces[0]
	ring := digest.FromString("ring")
	info := ns.Blobs[digest.FromString("base")]
	info.Labels = inventory.Labels{{Key: store.ContentLabel + "m.0", Value: ring.String()}, {Key: store.ContentLabel + "m.1", Value: digest.FromString("absent").String()}}
	ns.Blobs[ring] = info
	ns.Images = append(ns.Images, images.Image{Name: "ring"})
	ns.Images[2].Target.Digest = ring
	parts := explained(t, inv, "ring").Parts
	if len(parts) != 1 || len(parts[0].Parts) != 2 {
		t.Fatalf("parts: %+v", parts)
	}
	again, missing := 0, 0
	for _, p := range parts[0].Parts {
		if p.Again {
			again++
		}
		if p.Missing {
			missing++
		}
	}
	if again != 1 || missing != 1 {
		t.Errorf("parts of the ring: %+v", parts[0].Parts)
	}
}

func TestRemovingAContainerFreesItsSnapshot(t *testing.T) {
	e := explained(t, tw.UsageStore(), "c")
	if e.Frees != (inventory.Amount{Snapshots: 1, SnapshotBytes: 20, TotalBytes: 20}) {
		t.Errorf("frees %+v", e.Frees)
	}
	if len(e.Decisions) != 1 || e.Decisions[0].Name != "docker.io/library/keep:1" {
		t.Errorf("decisions: %+v", e.Decisions)
	}
}

func TestGoing(t *testing.T) {
	p, m, err := plan.NewPlanAndModel(tw.UsageStore(), rules.Policy{AllNamespaces: true, Filters: filters.Everything()}, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := plan.Weight{Name: "docker.io/library/go:1", SizeBytes: 177, FreesBytes: 73}
	if diff := cmp.Diff(want, p.Weigh(m).Weights.Of("default", digest.FromString("go"))); diff != "" {
		t.Errorf("going (-want +got):\n%s", diff)
	}
}

// Explain measures as much as the answer needs.
func TestExplainMeasuresEnough(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Snapshot("s2", ""), tw.Record("x:1", "a"),
		tw.Container("c", "x:1", ""), tw.Lease("l", tw.Holding(tw.TheSnapshot("memory", "s2"))),
	}})
	policy, now := rules.Policy{AllNamespaces: true, Filters: tw.All()}, time.Now()
	for _, text := range []string{"x:1", "c", "l", tw.Digest("b").String(), "memory/s1"} {
		want := tw.Must(tw.ExplainedBy(tw.ReadSized(s, read.ReadOptions{}), text, policy, now))
		if diff := cmp.Diff(want, tw.Must(explain.Explain(s.Ctx, s.Store, text, policy, now, read.ReadOptions{}))); diff != "" {
			t.Errorf("%s (-all measured +explained):\n%s", text, diff)
		}
		if want.Holds.SnapshotBytes == 0 && text != "c" {
			t.Errorf("%s holds no bytes of snapshots: %+v", text, want.Holds)
		}
	}
	var none *rules.PolicyError
	if _, err := explain.Explain(s.Ctx, s.Store, "nobody", policy, now, read.ReadOptions{}); !errors.As(err, &none) {
		t.Errorf("nobody: %v", err)
	}
}

// An object that a flat lease holds by itself, and whole by an upload, is one.
func TestHoldsFlatAndWhole(t *testing.T) {
	inv := tw.World{"default": {tw.Blob("a"), tw.Upload("u", "a", tw.Created(tw.Noon)), tw.Lease("l", tw.Flat(), tw.Holding(tw.TheBlob("a"), tw.TheUpload("u")))}}.Inventory()
	if holds := tw.Must(tw.ExplainedBy(inv, "l", tw.EveryImage, tw.Noon)).Holds; holds.Blobs != 1 || holds.TotalBytes != int64(len(tw.Body("a"))) {
		t.Errorf("it holds %+v", holds)
	}
}
