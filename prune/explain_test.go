package prune

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
)

func explained(t *testing.T, inv *Inventory, text string) *Explanation {
	t.Helper()
	e, err := explainedBy(inv, text, Policy{AllNamespaces: true, Filters: filters.Everything()}, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return e
}

func TestExplainFinds(t *testing.T) {
	inv := usageStore()
	top := digest.FromString("go-top")
	for text, want := range map[string]Object{
		"go:1":            {"image", "default", "docker.io/library/go:1"},
		"library/keep:1":  {"image", "default", "docker.io/library/keep:1"},
		"library/keep":    {"image", "default", "docker.io/library/keep:1"},
		"c":               {"container", "default", "c"}, // rather than its snapshot
		"bui":             {"lease", "default", "build"},
		top.String():      {"content", "default", top.String()},
		top.Encoded()[:8]: {"content", "default", top.String()},
		"overlayfs/c":     {"snapshot", "default", "overlayfs/c"},
	} {
		if got := explained(t, inv, text).Object; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	_, err := explainedBy(inv, "docker.io", Policy{AllNamespaces: true}, time.Time{})
	var many *AmbiguousError
	if !errors.As(err, &many) || len(many.Candidates) != 2 || many.Total != 2 {
		t.Errorf("the beginning of two: %v", err)
	}
	var none *PolicyError
	if _, err := explainedBy(inv, "ke", Policy{AllNamespaces: true}, time.Time{}); !errors.As(err, &none) {
		t.Errorf("too short: %v", err)
	}
}

func TestExplainTellsOfAnImage(t *testing.T) {
	e := explained(t, usageStore(), "keep:1")
	if diff := cmp.Diff([]string{"container c"}, e.UsedBy); diff != "" {
		t.Errorf("used by (-want +got):\n%s", diff)
	}
	if e.Frees != (Amount{Blobs: 3, ContentBytes: 53, TotalBytes: 53}) {
		t.Errorf("frees %+v", e.Frees)
	}
	if len(e.Decisions) != 1 || e.Decisions[0].Action != Keep {
		t.Errorf("decisions: %+v", e.Decisions)
	}
	manifest := e.Parts[0]
	var got []string
	for _, p := range manifest.Parts {
		got = append(got, string(p.Kind))
	}
	if want := []string{"config", "layer", "layer"}; !slices.Equal(got, want) || manifest.Kind != KindManifest {
		t.Errorf("parts of %s: %q, want %q", manifest.Kind, got, want)
	}
	if base, top := manifest.Parts[1], manifest.Parts[2]; !base.Shared || top.Shared || base.Layer != 1 || top.Layer != 2 || top.Bytes != 50 {
		t.Errorf("layers: %+v, %+v", base, top)
	}
	snapshot := manifest.Parts[0].Parts
	if len(snapshot) != 1 || snapshot[0].Kind != KindSnapshot || !snapshot[0].Shared || snapshot[0].Bytes != 200 {
		t.Errorf("snapshots of the config: %+v", snapshot)
	}
}

// A blob that lists itself, and one of which parts are missing, come to an end.
func TestExplainOfOddContent(t *testing.T) {
	inv := usageStore()
	ns := inv.Namespaces[0]
	ring := digest.FromString("ring")
	info := ns.Blobs[digest.FromString("base")]
	info.Digest, info.Labels = ring, map[string]string{contentLabel + "m.0": ring.String(), contentLabel + "m.1": digest.FromString("absent").String()}
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
	e := explained(t, usageStore(), "c")
	if e.Frees != (Amount{Snapshots: 1, SnapshotBytes: 20, TotalBytes: 20}) {
		t.Errorf("frees %+v", e.Frees)
	}
	if len(e.Decisions) != 1 || e.Decisions[0].Name != "docker.io/library/keep:1" {
		t.Errorf("decisions: %+v", e.Decisions)
	}
}

func TestGoing(t *testing.T) {
	plan, err := usageStore().Plan(Policy{AllNamespaces: true, Filters: filters.Everything()}, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	want := []Going{{Namespace: "default", Name: "docker.io/library/go:1", Target: digest.FromString("go"), Bytes: 73}}
	if diff := cmp.Diff(want, plan.Going()); diff != "" {
		t.Errorf("going (-want +got):\n%s", diff)
	}
}

// Explain measures as much as the answer needs.
func TestExplainMeasuresEnough(t *testing.T) {
	s := newScene(t, world{"default": {
		blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), snapshot("s2", ""), record("x:1", "a"),
		container("c", "x:1", ""), lease("l", holding(theSnapshot("memory", "s2"))),
	}})
	policy, now := Policy{AllNamespaces: true, Filters: all()}, time.Now()
	for _, text := range []string{"x:1", "c", "l", dig("b").String(), "memory/s1"} {
		want := must(explainedBy(readSized(s, ReadOptions{}), text, policy, now))
		if diff := cmp.Diff(want, must(Explain(s.ctx, s.store, text, policy, now, ReadOptions{}))); diff != "" {
			t.Errorf("%s (-all measured +explained):\n%s", text, diff)
		}
		if want.Holds.SnapshotBytes == 0 && text != "c" {
			t.Errorf("%s holds no bytes of snapshots: %+v", text, want.Holds)
		}
	}
	var none *PolicyError
	if _, err := Explain(s.ctx, s.store, "nobody", policy, now, ReadOptions{}); !errors.As(err, &none) {
		t.Errorf("nobody: %v", err)
	}
}

// An object that a flat lease holds by itself, and whole by an upload, is one.
func TestHoldsFlatAndWhole(t *testing.T) {
	inv := world{"default": {blob("a"), upload("u", "a", created(noon)), lease("l", flat(), holding(theBlob("a"), theUpload("u")))}}.inventory()
	if holds := must(explainedBy(inv, "l", everyImage, noon)).Holds; holds.Blobs != 1 || holds.TotalBytes != int64(len(body("a"))) {
		t.Errorf("it holds %+v", holds)
	}
}
