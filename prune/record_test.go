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
)

// written is what a batch is written down as.
type written struct {
	docs    []planBlob
	targets []digest.Digest
	longest int
	left    map[string]string
}

func write(t *testing.T, b batch, orphans []orphan) (written, []Decision) {
	t.Helper()
	w := written{left: map[string]string{}}
	hold := func(doc []byte, targets []digest.Digest) error {
		if len(targets) > leases.MaxTargets {
			t.Errorf("a blob names %d targets", len(targets))
		}
		w.docs, w.targets, w.longest = append(w.docs, must(parsePlanBlob(doc))), append(w.targets, targets...), max(w.longest, len(doc))
		return nil
	}
	left := must(writePlan(leases.Run{Name: "r", Start: noon}, b.ns.Name, b.toWrite(), orphans, hold))
	x := &execution{report: newReport(&Plan{})}
	x.leave(&b, left)
	for _, s := range x.report.Skipped {
		w.left[s.Name] = s.Reason
	}
	return w, b.records
}

// named is a record of that name, and of a target of its own.
func named(name string, labels map[string]string) Decision {
	image := images.Image{Name: name, Target: descriptor(name[max(0, len(name)-8):]), Labels: labels, CreatedAt: noon, UpdatedAt: noon}
	return Decision{Namespace: "default", Name: name, Target: image.Target, Action: Remove, image: &image}
}

// More records than one plan blob may name, or names that are very long.
func TestPlanBlobsAreParted(t *testing.T) {
	notUnderRace(t)
	orphans := []orphan{{Namespace: "default", Config: dig("x")}, {Namespace: "other", Config: dig("y")}}
	for _, c := range []struct{ records, length, parts int }{
		{0, 1, 1}, {1, 1, 1}, {leases.MaxTargets, 1, 1}, {leases.MaxTargets + 1, 1, 2}, {2*leases.MaxTargets + 1, 1, 3},
		{600, 20000, 3}, {3, 3 << 20, 3},
	} {
		b := batch{ns: &Namespace{Name: "default"}}
		for i := range c.records {
			b.records = append(b.records, named(strings.Repeat("x", c.length)+fmt.Sprint(i), map[string]string{"a": "b"}))
		}
		w, going := write(t, b, orphans)
		if len(w.docs) != c.parts || w.longest > leases.MaxDoc || len(w.left) > 0 {
			t.Errorf("%d records of %d: %d blobs, the longest of %d, left out %v", c.records, c.length, len(w.docs), w.longest, w.left)
		}
		var back []Decision
		var found []orphan
		for i, doc := range w.docs {
			if doc.Chunk != i || doc.Last != (i == len(w.docs)-1) {
				t.Errorf("blob %d is numbered %d, and the last: %v", i, doc.Chunk, doc.Last)
			}
			back, found = append(back, decisionsOf(pastPlan{namespace: doc.Namespace, records: doc.Records})...), append(found, doc.Orphans...)
		}
		for _, got := range [][]Decision{back, going} {
			if diff := cmp.Diff(b.records, got, cmp.AllowUnexported(Decision{}), cmpopts.EquateEmpty()); diff != "" {
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
	var orphans []orphan
	for i := range 40_000 {
		orphans = append(orphans, orphan{Namespace: "default", Config: dig(fmt.Sprint("x", i)), Labels: map[string]string{"containerd.io/gc.ref.snapshot.overlayfs": dig("s").String()}})
	}
	w, _ := write(t, batch{ns: &Namespace{Name: "default"}, records: []Decision{named("a", nil)}}, orphans)
	var found []orphan
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
	for ns, want := range map[string]string{"default": "other tag", criNamespace: "other"} {
		w, going := write(t, batch{ns: &Namespace{Name: ns}, records: []Decision{id, other, tag}}, nil)
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
		var p pastPlan
		for _, doc := range strings.Fields(c.docs) {
			must(0, p.add(fmt.Appendf(nil, `{"schema":%d,"chunk":%s,"last":%v}`, planSchema, doc[:1], strings.Contains(doc, "!"))))
		}
		if (p.missing() != nil) != c.missing || p.whole() != c.whole {
			t.Errorf("of %q: %v, whole %v", c.docs, p.missing(), p.whole())
		}
	}
}

func TestPlanBlobsOfOthers(t *testing.T) {
	for _, doc := range []string{"", "{", `{"schema":1}`, `{"schema":3}`, `[]`, `{}`} {
		if _, err := parsePlanBlob([]byte(doc)); err == nil {
			t.Errorf("%q is a plan", doc)
		}
	}
}
