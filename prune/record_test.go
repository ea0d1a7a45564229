package prune

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
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
		if len(targets) > leases.MaxTargets {
			t.Errorf("a blob names %d targets", len(targets))
		}
		w.docs, w.targets, w.longest = append(w.docs, must(journal.ParsePlanBlob(doc))), append(w.targets, targets...), max(w.longest, len(doc))
		return nil
	}
	left := must(journal.WritePlan(leases.Run{Name: "r", Start: noon}, b.Ns.Name, run.ToWrite(b), orphans, hold))
	x := &run.Execution{Report: run.NewReport(&plan.Plan{})}
	x.Leave(&b, left)
	for _, s := range x.Report.Skipped {
		w.left[s.Name] = s.Reason
	}
	return w, b.Records
}

// named is a record of that name, and of a target of its own.
func named(name string, labels map[string]string) rules.Decision {
	image := images.Image{Name: name, Target: descriptor(name[max(0, len(name)-8):]), Labels: labels, CreatedAt: noon, UpdatedAt: noon}
	return rules.Decision{Namespace: "default", Name: name, Target: image.Target, Action: rules.Remove, Image: &image}
}

// More records than one plan blob may name, or names that are very long.
func TestPlanBlobsAreParted(t *testing.T) {
	notUnderRace(t)
	orphans := []gc.Orphan{{Namespace: "default", Config: dig("x")}, {Namespace: "other", Config: dig("y")}}
	for _, c := range []struct{ records, length, parts int }{
		{0, 1, 1}, {1, 1, 1}, {leases.MaxTargets, 1, 1}, {leases.MaxTargets + 1, 1, 2}, {2*leases.MaxTargets + 1, 1, 3},
		{600, 20000, 3}, {3, 3 << 20, 3},
	} {
		b := plan.Batch{Ns: &inventory.Namespace{Name: "default"}}
		for i := range c.records {
			b.Records = append(b.Records, named(strings.Repeat("x", c.length)+fmt.Sprint(i), map[string]string{"a": "b"}))
		}
		w, going := write(t, b, orphans)
		if len(w.docs) != c.parts || w.longest > leases.MaxDoc || len(w.left) > 0 {
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
	notUnderRace(t)
	var orphans []gc.Orphan
	for i := range 40_000 {
		orphans = append(orphans, gc.Orphan{Namespace: "default", Config: dig(fmt.Sprint("x", i)), Labels: map[string]string{"containerd.io/gc.ref.snapshot.overlayfs": dig("s").String()}})
	}
	w, _ := write(t, plan.Batch{Ns: &inventory.Namespace{Name: "default"}, Records: []rules.Decision{named("a", nil)}}, orphans)
	var found []gc.Orphan
	for _, doc := range w.docs {
		found = append(found, doc.Orphans...)
	}
	if len(w.docs) < 2 || w.longest > leases.MaxDoc || len(found) != len(orphans) {
		t.Errorf("%d configs of %d in %d blobs, the longest of %d", len(found), len(orphans), len(w.docs), w.longest)
	}
}

// A record that is too long to be written down stays, and in CRI's namespace
// the other names of its image with it.
func TestRecordTooLong(t *testing.T) {
	long := map[string]string{"label": strings.Repeat("x", leases.MaxDoc)}
	tag, id, other := named("tag", nil), named("id", long), named("other", nil)
	id.Target = tag.Target
	for ns, want := range map[string]string{"default": "other tag", store.CRINamespace: "other"} {
		w, going := write(t, plan.Batch{Ns: &inventory.Namespace{Name: ns}, Records: []rules.Decision{id, other, tag}}, nil)
		var names []string
		for _, d := range going {
			names = append(names, d.Name)
		}
		if got := strings.Join(names, " "); got != want || !strings.Contains(w.left["id"], "too long") || w.longest > leases.MaxDoc {
			t.Errorf("%s: %q go, %v stay; the longest blob has %d bytes", ns, got, w.left, w.longest)
		}
	}
}

// Which documents of a plan are there tells whether the run that wrote them can
// have deleted anything, and whether all of that is known.
func TestPastPlan(t *testing.T) {
	for _, c := range []struct {
		docs           string // numbers; "!" says the last
		missing, whole bool
	}{
		{"", false, false}, {"0", false, false}, {"0!", false, true}, {"0 1!", false, true}, {"1! 0", false, true}, {"0 1", false, false},
		{"1!", true, false}, {"0 2!", true, false}, {"1", true, false},
	} {
		var p journal.PastPlan
		for _, doc := range strings.Fields(c.docs) {
			must(0, p.Add(fmt.Appendf(nil, `{"schema":%d,"chunk":%s,"last":%v}`, journal.PlanSchema, doc[:1], strings.Contains(doc, "!"))))
		}
		if (p.Missing() != nil) != c.missing || p.Whole() != c.whole {
			t.Errorf("of %q: %v, whole %v", c.docs, p.Missing(), p.Whole())
		}
	}
}

func TestPlanBlobsOfOthers(t *testing.T) {
	for _, doc := range []string{"", "{", `{"schema":1}`, `{"schema":3}`, `[]`, `{}`} {
		if _, err := journal.ParsePlanBlob([]byte(doc)); err == nil {
			t.Errorf("%q is a plan", doc)
		}
	}
}
