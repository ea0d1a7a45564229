package document

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/filters"
)

// documentPlan plans over a store with one image and a namespace left out.
func documentPlan(t *testing.T, now time.Time) *plan.Plan {
	t.Helper()
	blobs := func(text string) map[digest.Digest]inventory.Blob {
		return map[digest.Digest]inventory.Blob{digest.FromString(text): {Size: int64(len(text)), CreatedAt: now.Add(-time.Hour)}}
	}
	record := func(name, text string) images.Image {
		return images.Image{
			Name: name, Target: ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))},
			CreatedAt: now.Add(-time.Hour), UpdatedAt: now.Add(-time.Hour),
		}
	}
	space := func(ns, image, text string) *inventory.Namespace {
		return &inventory.Namespace{Name: ns, Images: []images.Image{record(image, text)}, Blobs: blobs(text)}
	}
	inv := &inventory.Inventory{
		Store:      store.StoreInfo{Kind: store.StoreDaemon, Location: "/c.sock", Version: "2.4.2"},
		Namespaces: []*inventory.Namespace{space("default", "app:1", "app"), space("other", "b:1", "b")},
	}
	set, err := filters.Parse(filters.Options{All: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: set}, now)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func TestDocumentTellsThePlan(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	d := PlanDocument(documentPlan(t, now))
	if d.Kind != DocumentPlan || !d.Time.Equal(now) || d.Measured {
		t.Errorf("kind %s of %s, measured %v", d.Kind, d.Time, d.Measured)
	}
	if want := (Counts{Images: 1, Remove: 1}); d.Counts != want {
		t.Errorf("counts %+v, want %+v", d.Counts, want)
	}
	if len(d.Images) != 1 || d.Images[0].Action != rules.Remove || d.Images[0].Name != "app:1" || d.Images[0].Namespace != "default" {
		t.Errorf("images %+v", d.Images)
	}
	if want := (inventory.Amount{Blobs: 1, ContentBytes: 3, TotalBytes: 3}); d.Predicted != want {
		t.Errorf("predicted %+v, want %+v", d.Predicted, want)
	}
	if diff := cmp.Diff([]NamespaceCount{{Namespace: "other", Images: 1}}, d.Elsewhere); diff != "" {
		t.Errorf("elsewhere (-want +got):\n%s", diff)
	}
	want := PolicyDocument{Namespaces: []string{"default"}, Filters: []string{"dangling=false"}, DanglingPrefixes: []string{}}
	if diff := cmp.Diff(want, d.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

// A program that reads a list must not have to think of null, and finds all
// that was promised, whatever there is to tell.
func TestDocumentsHaveAllFieldsAndNoNullLists(t *testing.T) {
	p := documentPlan(t, time.Now())
	report := run.NewReport(p)
	report.Recovered = []run.Recovered{{}}
	promised := []string{
		"schemaVersion", "kind", "store", "policy", "images", "untagged", "deleted", "predicted", "reclaimed", "held", "errors",
	}
	for _, d := range []Document{PlanDocument(p), ReportDocument(report)} {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		for _, name := range promised {
			if _, ok := fields[name]; !ok {
				t.Errorf("%s has no field %s", d.Kind, name)
			}
		}
		delete(fields, "grace") // an object, or null when there is none
		delete(fields, "relief")
		for name, value := range fields {
			if strings.Contains(string(value), "null") {
				t.Errorf("%s: %s is or has null: %s", d.Kind, name, value)
			}
		}
	}
}

// A plan without anything to do needs no store.
func TestReportOfAnEmptyPlanChangedNothing(t *testing.T) {
	empty, err := plan.NewPlan(documentPlan(t, time.Now()).Inventory, rules.Policy{}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.Execute(t.Context(), empty, nil, run.ExecuteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	d := ReportDocument(r)
	if d.Kind != DocumentReport || !d.Measured || d.Interrupted || len(d.Untagged) > 0 || d.Reclaimed != (inventory.Amount{}) {
		t.Errorf("%+v", d)
	}
}

func TestReportNamesWhatIsGone(t *testing.T) {
	r := run.NewReport(documentPlan(t, time.Now()))
	blob, snapshot := digest.FromString("app"), inventory.SnapshotID{Namespace: "default", SnapshotKey: inventory.SnapshotKey{Snapshotter: "native", Key: "key"}}
	r.Untagged = []inventory.Record{{Namespace: "default", Name: "app:1", Target: blob}}
	r.Deleted.Blobs[blob], r.Deleted.Snapshots[snapshot] = 3, 4096
	d := ReportDocument(r)
	if !slices.Equal(d.Untagged, r.Untagged) {
		t.Errorf("untagged %q", d.Untagged)
	}
	want := []DeletedDocument{{Digest: blob, Bytes: 3}, {Namespace: "default", Snapshot: "native/key", Bytes: 4096}}
	if diff := cmp.Diff(want, d.Deleted); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
}
