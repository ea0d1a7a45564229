package run_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// written is what a batch is written down as.
type written struct {
	docs    []journal.PlanBlob
	targets []digest.Digest
	longest int
	left    map[string]string
}

func write(t *testing.T, b plan.Batch, orphans []gc.Orphan) (written, []rules.Decision) {
	t.Helper()
	w := written{left: map[string]string{}}
	hold := func(doc []byte, targets []digest.Digest) error {
		if len(targets) > lock.MaxTargets {
			t.Errorf("a blob names %d targets", len(targets))
		}
		w.docs, w.targets, w.longest = append(w.docs, tw.Must(journal.ParsePlanBlob(doc))), append(w.targets, targets...), max(w.longest, len(doc))
		return nil
	}
	left := tw.Must(journal.WritePlan(lock.Run{Name: "r", Start: tw.Noon}, b.Namespace.Name, nil, run.ToWrite(b), orphans, hold))
	x := &run.Execution{Report: run.NewReport(&plan.Plan{})}
	x.Leave(&b, left)
	for _, s := range x.Report.Skipped {
		w.left[s.Name] = s.Reason
	}
	return w, b.Records
}

// named is a record of that name, and of a target of its own.
func named(name string, labels map[string]string) rules.Decision {
	image := images.Image{Name: name, Target: tw.Descriptor(name[max(0, len(name)-8):]), Labels: labels, CreatedAt: tw.Noon, UpdatedAt: tw.Noon}
	return rules.Decision{Namespace: "default", Name: name, Target: image.Target, Action: rules.Remove, Image: &image}
}

// More records than one plan blob may name, or names that are very long.
func TestPlanBlobsAreParted(t *testing.T) {
	tw.NotUnderRace(t)
	orphans := []gc.Orphan{{Namespace: "default", Config: tw.Digest("x")}, {Namespace: "other", Config: tw.Digest("y")}}
	for _, c := range []struct{ records, length, parts int }{
		{0, 1, 1}, {1, 1, 1}, {lock.MaxTargets, 1, 1}, {lock.MaxTargets + 1, 1, 2}, {2*lock.MaxTargets + 1, 1, 3},
		{600, 20000, 3}, {3, 3 << 20, 3},
	} {
		b := plan.Batch{Namespace: &inventory.Namespace{Name: "default"}}
		for i := range c.records {
			b.Records = append(b.Records, named(strings.Repeat("x", c.length)+fmt.Sprint(i), map[string]string{"a": "b"}))
		}
		w, going := write(t, b, orphans)
		if len(w.docs) != c.parts || w.longest > lock.MaxDoc || len(w.left) > 0 {
			t.Errorf("%d records of %d: %d blobs, the longest of %d, left out %v", c.records, c.length, len(w.docs), w.longest, w.left)
		}
		var back []rules.Decision
		var found []gc.Orphan
		for i, doc := range w.docs {
			if doc.Chunk != i || doc.Last != (i == len(w.docs)-1) {
				t.Errorf("blob %d is numbered %d, and the last: %v", i, doc.Chunk, doc.Last)
			}
			back, found = append(back, run.DecisionsOf(journal.PastPlan{Namespace: doc.Namespace, Records: doc.Records})...), append(found, doc.Orphans...)
		}
		for _, got := range [][]rules.Decision{back, going} {
			if diff := cmp.Diff(b.Records, got, cmp.AllowUnexported(rules.Decision{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%d records read back (-want +got):\n%s", c.records, diff)
			}
		}
		if diff := cmp.Diff(orphans[:1], found); diff != "" || len(w.targets) != c.records {
			t.Errorf("%d records, but %d targets held, and configs (-want +got):\n%s", c.records, len(w.targets), diff)
		}
	}
}

// Many configs of build history are parted as well.
func TestManyOrphansAreParted(t *testing.T) {
	tw.NotUnderRace(t)
	var orphans []gc.Orphan
	for i := range 40_000 {
		orphans = append(orphans, gc.Orphan{Namespace: "default", Config: tw.Digest(fmt.Sprint("x", i)), Labels: map[string]string{"containerd.io/gc.ref.snapshot.overlayfs": tw.Digest("s").String()}})
	}
	w, _ := write(t, plan.Batch{Namespace: &inventory.Namespace{Name: "default"}, Records: []rules.Decision{named("a", nil)}}, orphans)
	var found []gc.Orphan
	for _, doc := range w.docs {
		found = append(found, doc.Orphans...)
	}
	if len(w.docs) < 2 || w.longest > lock.MaxDoc || len(found) != len(orphans) {
		t.Errorf("%d configs of %d in %d blobs, the longest of %d", len(found), len(orphans), len(w.docs), w.longest)
	}
}

// A record that is too long to be written down stays, and in CRI's namespace
// the other names of its image with it.
func TestRecordTooLong(t *testing.T) {
	long := map[string]string{"label": strings.Repeat("x", lock.MaxDoc)}
	tag, id, other := named("tag", nil), named("id", long), named("other", nil)
	id.Target = tag.Target
	for ns, want := range map[string]string{"default": "other tag", store.CRINamespace: "other"} {
		w, going := write(t, plan.Batch{Namespace: &inventory.Namespace{Name: ns}, Records: []rules.Decision{id, other, tag}}, nil)
		var names []string
		for _, d := range going {
			names = append(names, d.Name)
		}
		if got := strings.Join(names, " "); got != want || !strings.Contains(w.left["id"], "too long") || w.longest > lock.MaxDoc {
			t.Errorf("%s: %q go, %v stay; the longest blob has %d bytes", ns, got, w.left, w.longest)
		}
	}
}
