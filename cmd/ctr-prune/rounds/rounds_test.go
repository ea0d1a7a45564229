package rounds

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// rounds prunes the images of a store, one after the other, but for the last.
func rounds(t *testing.T, names ...string) (first *prune.Plan, reports []*prune.Report) {
	t.Helper()
	dir := t.TempDir()
	fill(t, dir, names)
	store, err := prune.OpenRoot(t.Context(), dir)
	must(t, err)
	t.Cleanup(func() { must(t, store.Close()) })
	for _, name := range names[:len(names)-1] {
		set, err := filters.Parse(filters.Options{All: true, Filters: []string{"reference=" + name}}, time.Now())
		must(t, err)
		plan, err := prune.ReadPlan(t.Context(), store, prune.Policy{Namespaces: []string{"default"}, Filters: set}, time.Now(), prune.ReadOptions{})
		must(t, err)
		report, err := prune.Execute(t.Context(), store, plan, prune.ExecuteOptions{Now: time.Now})
		must(t, err)
		if first == nil {
			first = plan
		}
		reports = append(reports, report)
	}
	return first, reports
}

func fill(t *testing.T, dir string, names []string) {
	t.Helper()
	e, err := imagestore.OpenEmbedded(context.Background(), dir, "native")
	must(t, err)
	b := imagestore.New(1)
	for _, name := range names {
		must(t, e.Store("default").Add(t.Context(), b.Image(imagestore.Spec{Name: "docker.io/library/" + name})))
	}
	must(t, e.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The report of several rounds has what each of them removed, with its reason, and what
// they freed adds up, with what ending graces gave back.
func TestReportOfSeveralRounds(t *testing.T) {
	plan, reports := rounds(t, "a:1", "b:1", "c:1")
	plan.Relief = &prune.Relief{}
	dropped := prune.Amount{Blobs: 2, ContentBytes: 70, TotalBytes: 70}
	done := &prune.Relieved{Reports: reports, Dropped: dropped, Reached: true}
	doc, summary := Document(plan, done), Summarise(done)
	if diff := cmp.Diff(prune.Counts{Images: 3, Remove: 2, Keep: 1}, doc.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	var gone []string
	for _, image := range doc.Images {
		if image.Action == prune.Remove && image.Reason != "" {
			gone = append(gone, image.Name)
		}
	}
	want := []string{"docker.io/library/a:1", "docker.io/library/b:1"}
	if diff := cmp.Diff(want, gone); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	var untagged []string
	for _, r := range doc.Untagged {
		untagged = append(untagged, r.Name)
	}
	if diff := cmp.Diff(want, untagged); diff != "" {
		t.Errorf("untagged (-want +got):\n%s", diff)
	}
	sum, predicted := summary.EndedGraces, prune.Amount{}
	for _, r := range summary.Rounds {
		sum.Add(r.Reclaimed)
		predicted.Add(r.Predicted)
		if r.Removed != 1 || r.Reclaimed.TotalBytes == 0 {
			t.Errorf("a round %+v", r)
		}
	}
	if len(summary.Rounds) != 2 || sum != doc.Reclaimed || predicted != doc.Predicted || len(doc.Deleted) != sum.Blobs+sum.Snapshots-2 {
		t.Errorf("the rounds %+v freed %+v, the report has %+v, with %d objects", summary.Rounds, sum, doc.Reclaimed, len(doc.Deleted))
	}
	if !doc.Relief.Reached || plan.Relief.Reached {
		t.Errorf("reached: %v, and by the plan %v", doc.Relief.Reached, plan.Relief.Reached)
	}
}
