package prune

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// bound makes a record as the transfer service makes further names of an
// archive: it has expired, and lives while another record does.
func bound(name, target, base string, attrs ...attr) thing {
	return record(name, target, append([]attr{expiring(noon.Add(-1)), backImage(base)}, attrs...)...)
}

// bundle is an index with two images, imported with a name of its own.
func bundle(attrs ...attr) []thing {
	return []thing{
		blob("index", refContent("one", ".m.0"), refContent("two", ".m.1")), blob("one"), blob("two"),
		record("base:1", "index"), bound("app-1:1", "one", "base:1", attrs...), bound("app-2:1", "two", "base:1"),
	}
}

// What a record that stays lives by, or refers to, stays with it; what nothing
// holds any more goes.
func TestRecordsThatHangOnOthers(t *testing.T) {
	over := expiring(noon.Add(-1))
	keep := labelled(rules.LabelKeep, "")
	for title, c := range map[string]struct {
		typed  []string
		things []thing
		want   []string
	}{
		"all go together": {nil, bundle(), []string{"app-1:1: remove: unused", "app-2:1: remove: unused", "base:1: remove: unused"}},
		"a pin": {nil, bundle(keep), []string{
			`app-1:1: keep: pinned by label ctr-prune/keep on "app-1:1"`,
			"app-2:1: keep: is part of \"base:1\", which stays",
			`base:1: keep: "app-1:1", which stays, lives only while this record does`,
		}},
		"a filter": {[]string{"reference=base"}, bundle(), []string{
			"app-1:1: keep: not matched by filter reference=base",
			"app-2:1: keep: not matched by filter reference=base",
			`base:1: keep: "app-1:1", which stays, lives only while this record does`,
		}},
		"a container's name": {[]string{"reference!=app-2"}, append(bundle(), container("c", "app-1:1", "")), []string{
			"app-1:1: keep: in use by container c",
			"app-2:1: keep: filter reference!=app-2: it has the name app-2:1",
			`base:1: keep: "app-1:1", which stays, lives only while this record does`,
		}},
		"a chain": {nil, []thing{
			record("a:1", "a"), blob("a"), bound("b:1", "b", "a:1"), blob("b"), bound("c:1", "c", "b:1", keep), blob("c"), bound("d:1", "d", "b:1"), blob("d"),
		}, []string{
			`a:1: keep: "b:1", which stays, lives only while this record does`,
			`b:1: keep: "c:1", which stays, lives only while this record does`,
			`c:1: keep: pinned by label ctr-prune/keep on "c:1"`,
			"d:1: remove: unused",
		}},
		"one of two is enough": {nil, []thing{
			record("a:1", "a"), blob("a"), record("b:1", "b", keep), blob("b"),
			record("c:1", "c", over, backImage("a:1", ".0"), backImage("b:1", ".1"), keep), blob("c"),
		}, []string{
			"a:1: remove: unused",
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
			`c:1: keep: pinned by label ctr-prune/keep on "c:1"`,
		}},
		"by way of content": {nil, []thing{
			record("a:1", "a"), blob("a", refContent("x")), blob("x"), record("b:1", "b", over, backContent("x"), keep), blob("b"),
		}, []string{
			`a:1: keep: "b:1", which stays, lives only while this record does`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"by way of a name that is gone": {nil, []thing{
			record("a:1", "a"), blob("a", refImage("gone:1")), bound("b:1", "b", "gone:1", keep), blob("b"),
		}, []string{
			`a:1: keep: "b:1", which stays, lives only while this record does`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"what has no end lives by itself": {nil, []thing{
			record("a:1", "a", expiring(noon.Add(1)), backContainer("c")), blob("a", refImage("b:1")), record("b:1", "b", keep), blob("b"), container("c", "", ""),
		}, []string{"a:1: remove: unused", `b:1: keep: pinned by label ctr-prune/keep on "b:1"`}},
		"by a container": {nil, []thing{
			record("a:1", "a"), blob("a"), record("b:1", "b", over, backContainer("c"), keep), blob("b"), container("c", "", ""),
		}, []string{"a:1: remove: unused", `b:1: keep: pinned by label ctr-prune/keep on "b:1"`}},
		"an expiry to come": {nil, []thing{
			record("a:1", "a"), blob("a"), record("b:1", "b", expiring(noon.Add(1)), backImage("a:1"), keep), blob("b"),
		}, []string{
			`a:1: keep: "b:1", which stays, lives only while this record does`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"held by what will expire": {nil, []thing{
			record("a:1", "a", expiring(noon.Add(1))), blob("a"), bound("b:1", "b", "a:1", keep), blob("b"),
		}, []string{
			`a:1: keep: "b:1", which stays, lives only while this record does`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"an expiry that cannot be read": {nil, []thing{
			record("a:1", "a"), blob("a"), record("b:1", "b", labelled(gc.LabelExpire, "soon"), backImage("a:1"), keep), blob("b"),
		}, []string{"a:1: remove: unused", `b:1: keep: pinned by label ctr-prune/keep on "b:1"`}},
		"expired for good": {[]string{"until=72h"}, []thing{
			record("a:1", "a", over, created(noon)), blob("a"), bound("b:1", "b", "gone:1", created(noon)), blob("b"),
		}, []string{"a:1: remove: " + reasonExpired, "b:1: remove: " + reasonExpired}},
		"a circle of expired ones": {[]string{"label=x"}, []thing{
			bound("a:1", "a", "b:1"), blob("a"), bound("b:1", "b", "a:1"), blob("b"),
		}, []string{"a:1: remove: " + reasonExpired, "b:1: remove: " + reasonExpired}},
		"a label of a container": {nil, []thing{record("a:1", "a"), blob("a"), container("c", "", "", refImage("a:1"))}, []string{
			"a:1: keep: referred to by container c",
		}},
		"a label of a sandbox": {nil, []thing{record("a:1", "a"), blob("a"), podSandbox("p", refImage("a:1", ".x"))}, []string{
			"a:1: keep: referred to by sandbox p",
		}},
		"a lease": {nil, []thing{record("a:1", "a", over), blob("a"), lease("l", holding(theRecord("a:1")))}, []string{
			`a:1: keep: held by lease "l"`,
		}},
		"a lease that ends": {nil, append(bundle(keep), lease("pull", expiring(noon.Add(1)), holding(theBlob("one"), theRecord("app-1:1")))), []string{
			`app-1:1: keep: held by lease "pull"`,
			"app-2:1: keep: is part of \"base:1\", which stays",
			`base:1: keep: "app-1:1", which stays, lives only while this record does`,
		}},
		"a label of a record that stays": {nil, []thing{
			record("a:1", "a"), blob("a"), record("b:1", "b", keep, refImage("a:1")), blob("b"), record("c:1", "c", refImage("a:1")), blob("c"),
		}, []string{
			`a:1: keep: referred to by "b:1", which stays`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
			"c:1: remove: unused",
		}},
		"a label of what is in use by its digest": {nil, []thing{
			record("a:1", "a"), blob("a", refImage("b:1")), record("b:1", "b"), blob("b"), container("c", dig("a").String(), ""),
		}, []string{
			`a:1: stand-in: the name goes and "<none>@«a»" takes its place: its image is in use by container c`,
			`b:1: keep: referred to by "a:1", which stays`,
		}},
		"a label of what a root holds": {nil, []thing{record("a:1", "a"), blob("a"), blob("x", gcRoot(), refImage("a:1"))}, []string{
			"a:1: keep: referred to by label containerd.io/gc.root on content " + dig("x").String(),
		}},
		"a root label on a record": {nil, []thing{record("a:1", "a", labelled("containerd.io/gc.root/mine", "")), blob("a")}, []string{
			"a:1: keep: kept by its label containerd.io/gc.root/mine",
		}},
	} {
		t.Run(title, func(t *testing.T) { checkDecided(t, "default", all(c.typed...), c.things, c.want) })
	}
}

// What belongs to a record that another one keeps stays as well, and what that
// lives by, and so on.
func TestTiesAndBelongings(t *testing.T) {
	things := []thing{
		record("a:1", "a", labelled(rules.LabelKeep, "")), blob("a", refImage("b:1")),
		record("b:1", "b"), blob("b"), bound(signatureOf("b"), "signature", "c:1"), blob("signature"),
		record("c:1", "c"), blob("c"), record(signatureOf("c"), "other"), blob("other"),
		record("d:1", "d"), blob("d"),
	}
	got := decided(t, world{"default": things}, rules.Policy{Namespaces: []string{"default"}, Filters: all()})
	for _, line := range got {
		if stays := strings.Contains(line, ": keep: "); stays == strings.HasPrefix(line, "d:1") {
			t.Errorf("want all but d:1 to stay, got %q", line)
		}
	}
}

func signatureOf(text string) string {
	return fmt.Sprintf("s:sha256-%s.sig", dig(text).Encoded())
}

// In k8s.io the names of an image go together; a name that nothing holds any
// more is none of them.
func TestTiesOfCRI(t *testing.T) {
	for title, c := range map[string]struct {
		things []thing
		want   []string
	}{
		"a name that another lives by": {
			[]thing{
				record("a:1", "a"), record("a:2", "a"), blob("a"), bound("b:1", "b", "a:1", labelled(rules.LabelKeep, "")), blob("b"),
			},
			[]string{
				`a:1: keep: "b:1", which stays, lives only while this record does`,
				`a:2: keep: CRI keeps the names of an image together, and "a:1" stays: "b:1", which stays, lives only while this record does`,
				`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
			},
		},
		"an expired name of an image that stays": {
			[]thing{record("a:1", "a", expiring(noon.Add(-1))), record("a:2", "a", created(noon)), blob("a")},
			[]string{"a:1: remove: " + reasonExpired, "a:2: keep: younger than 1h (0s old)"},
		},
		"one that is younger": {
			[]thing{record("a:1", "a", expiring(noon.Add(-1)), created(noon)), record("a:2", "a"), blob("a")},
			[]string{"a:1: remove: " + reasonExpired, "a:2: remove: unused"},
		},
	} {
		t.Run(title, func(t *testing.T) { checkDecided(t, store.CRINamespace, all("until=1h"), c.things, c.want) })
	}
}

// A collector before 2.0 knows no expiry of records, and so no ties.
func TestTiesMeanNothingToOldServers(t *testing.T) {
	inv := world{"default": bundle(labelled(rules.LabelKeep, ""))}.inventory()
	inv.Store.Version = "1.7.35"
	plan := must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: all("reference=base")}, noon))
	for _, d := range plan.Decisions {
		if want := d.Name == "base:1"; d.Gone() != want {
			t.Errorf("%s: %s: %s, want it to go: %v", d.Name, d.Action, d.Reason, want)
		}
	}
}

// A record that must stay and that any collection removes: then nothing is
// removed, and the sentence names it.
func TestPlanThatCannotBeKept(t *testing.T) {
	w := world{
		"default": {record("a:1", "a", expiring(noon.Add(-1)), labelled(rules.LabelKeep, "")), blob("a"), record("b:1", "b"), blob("b")},
		"other":   {record("c:1", "c"), blob("c")},
	}
	p := must(plan.NewPlan(w.inventory(), rules.Policy{AllNamespaces: true, Filters: all(), IngestAge: 1}, noon))
	if !p.Empty() || p.Predicted() != (inventory.Amount{}) {
		t.Errorf("the plan removes something: %v", p.Decisions)
	}
	for _, d := range p.Decisions {
		if d.Action != rules.Keep {
			t.Errorf("%s goes: %s", d.Name, d.Reason)
		}
	}
	var stay *plan.StayError
	_, err := run.Execute(t.Context(), p, nil, run.ExecuteOptions{})
	if !errors.As(err, &stay) || stay.Name != "a:1" || stay.Namespace != "default" {
		t.Errorf("the plan was executed with %v", err)
	}
	refused := p.Refused
	if len(refused) != 2 || !strings.Contains(refused[0].Reason, `image "a:1" in namespace "default" is to stay (pinned by label ctr-prune/keep`) {
		t.Errorf("refused: %v", refused)
	}
}

// In a namespace that is left alone the collection takes what has expired all
// the same. That is told, and keeps nobody from pruning another namespace.
func TestExpiredInAClosedNamespace(t *testing.T) {
	w := world{
		"x_history": {record("a:1", "a", expiring(noon.Add(-1))), blob("a")},
		"default":   {record("b:1", "b"), blob("b")},
	}
	p := must(plan.NewPlan(w.inventory(), rules.Policy{AllNamespaces: true, Filters: all()}, noon))
	for _, d := range p.Decisions {
		if d.Action != rules.Remove {
			t.Errorf("%s: %s: %s", d.Name, d.Action, d.Reason)
		}
	}
	if batches := p.Batches(); len(batches) != 1 || batches[0].Ns.Name != "default" {
		t.Errorf("the run deletes in %v", batches)
	}
	delete(w, "default")
	if plan := must(plan.NewPlan(w.inventory(), rules.Policy{AllNamespaces: true, Filters: all()}, noon)); !plan.Empty() {
		t.Error("there is nothing to do for a run, and the plan is not empty")
	}
}

// What this run's own lease holds keeps nothing alive.
func TestTiesOfTheRunItself(t *testing.T) {
	things := []thing{
		record("a:1", "a"), blob("a", refImage("b:1")), record("b:1", "b"), blob("b"),
		lease(leases.RunID, holding(theBlob("a"))),
	}
	checkDecided(t, "default", all(), things, []string{"a:1: remove: unused", "b:1: remove: unused"})
}

// A chain of ten thousand ties costs its length.
func TestManyTies(t *testing.T) {
	const n = 10_000
	things := []thing{record("r-0", "x"), blob("x")}
	for i := 1; i <= n; i++ {
		things = append(things, bound(fmt.Sprintf("r-%d", i), "x", fmt.Sprintf("r-%d", i-1)))
	}
	things[len(things)-1].Labels[rules.LabelKeep] = ""
	plan := must(plan.NewPlan(world{"default": things}.inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	var gone []string
	for _, d := range plan.Decisions {
		if d.Gone() {
			gone = append(gone, d.Name)
		}
	}
	if diff := cmp.Diff([]string(nil), gone); diff != "" {
		t.Error(diff)
	}
}
