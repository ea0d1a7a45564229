package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

var reasonExpired = cause.Plainly(cause.CodeExpired).Reason

// bound makes a record as the transfer service makes further names of an
// archive: it has expired, and lives while another record does.
func bound(name, target, base string, attrs ...tw.Attr) tw.Thing {
	return tw.Record(name, target, append([]tw.Attr{tw.Expiring(tw.Noon.Add(-1)), tw.BackImage(base)}, attrs...)...)
}

// bundle is an index with two images, imported with a name of its own.
func bundle(attrs ...tw.Attr) []tw.Thing {
	return []tw.Thing{
		tw.Blob("index", tw.RefContent("one", ".m.0"), tw.RefContent("two", ".m.1")), tw.Blob("one"), tw.Blob("two"),
		tw.Record("base:1", "index"), bound("app-1:1", "one", "base:1", attrs...), bound("app-2:1", "two", "base:1"),
	}
}

// What a record that stays lives by, or refers to, stays with it; what nothing
// holds any more goes.
func TestRecordsThatHangOnOthers(t *testing.T) {
	over := tw.Expiring(tw.Noon.Add(-1))
	keep := tw.Labelled(rules.LabelKeep, "")
	for title, c := range map[string]struct {
		typed  []string
		things []tw.Thing
		want   []string
	}{
		"all go together": {nil, bundle(), []string{"app-1:1: remove: unused", "app-2:1: remove: unused", "base:1: remove: unused"}},
		"a pin": {nil, bundle(keep), []string{
			`app-1:1: keep: pinned by label ctr-prune/keep on "app-1:1"`,
			"app-2:1: keep: is part of \"base:1\", which is kept",
			`base:1: keep: "app-1:1", which is kept, exists only as long as this record`,
		}},
		"a filter": {[]string{"reference=base"}, bundle(), []string{
			"app-1:1: keep: not matched by filter reference=base",
			"app-2:1: keep: not matched by filter reference=base",
			`base:1: keep: "app-1:1", which is kept, exists only as long as this record`,
		}},
		"a container's name": {[]string{"reference!=app-2"}, append(bundle(), tw.Container("c", "app-1:1", "")), []string{
			"app-1:1: keep: in use by container c",
			"app-2:1: keep: filter reference!=app-2: it has the name app-2:1",
			`base:1: keep: "app-1:1", which is kept, exists only as long as this record`,
		}},
		"a chain": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a"), bound("b:1", "b", "a:1"), tw.Blob("b"), bound("c:1", "c", "b:1", keep), tw.Blob("c"), bound("d:1", "d", "b:1"), tw.Blob("d"),
		}, []string{
			`a:1: keep: "b:1", which is kept, exists only as long as this record`,
			`b:1: keep: "c:1", which is kept, exists only as long as this record`,
			`c:1: keep: pinned by label ctr-prune/keep on "c:1"`,
			"d:1: remove: unused",
		}},
		"one of two is enough": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a"), tw.Record("b:1", "b", keep), tw.Blob("b"),
			tw.Record("c:1", "c", over, tw.BackImage("a:1", ".0"), tw.BackImage("b:1", ".1"), keep), tw.Blob("c"),
		}, []string{
			"a:1: remove: unused",
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
			`c:1: keep: pinned by label ctr-prune/keep on "c:1"`,
		}},
		"by way of content": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a", tw.RefContent("x")), tw.Blob("x"), tw.Record("b:1", "b", over, tw.BackContent("x"), keep), tw.Blob("b"),
		}, []string{
			`a:1: keep: "b:1", which is kept, exists only as long as this record`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"by way of a name that is gone": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a", tw.RefImage("gone:1")), bound("b:1", "b", "gone:1", keep), tw.Blob("b"),
		}, []string{
			`a:1: keep: "b:1", which is kept, exists only as long as this record`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"what has no end lives by itself": {nil, []tw.Thing{
			tw.Record("a:1", "a", tw.Expiring(tw.Noon.Add(1)), tw.BackContainer("c")), tw.Blob("a", tw.RefImage("b:1")), tw.Record("b:1", "b", keep), tw.Blob("b"), tw.Container("c", "", ""),
		}, []string{"a:1: remove: unused", `b:1: keep: pinned by label ctr-prune/keep on "b:1"`}},
		"by a container": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a"), tw.Record("b:1", "b", over, tw.BackContainer("c"), keep), tw.Blob("b"), tw.Container("c", "", ""),
		}, []string{"a:1: remove: unused", `b:1: keep: pinned by label ctr-prune/keep on "b:1"`}},
		"an expiry to come": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a"), tw.Record("b:1", "b", tw.Expiring(tw.Noon.Add(1)), tw.BackImage("a:1"), keep), tw.Blob("b"),
		}, []string{
			`a:1: keep: "b:1", which is kept, exists only as long as this record`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"held by what will expire": {nil, []tw.Thing{
			tw.Record("a:1", "a", tw.Expiring(tw.Noon.Add(1))), tw.Blob("a"), bound("b:1", "b", "a:1", keep), tw.Blob("b"),
		}, []string{
			`a:1: keep: "b:1", which is kept, exists only as long as this record`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
		}},
		"an expiry that cannot be read": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a"), tw.Record("b:1", "b", tw.Labelled(gc.LabelExpire, "soon"), tw.BackImage("a:1"), keep), tw.Blob("b"),
		}, []string{"a:1: remove: unused", `b:1: keep: pinned by label ctr-prune/keep on "b:1"`}},
		"expired for good": {[]string{"until=72h"}, []tw.Thing{
			tw.Record("a:1", "a", over, tw.Created(tw.Noon)), tw.Blob("a"), bound("b:1", "b", "gone:1", tw.Created(tw.Noon)), tw.Blob("b"),
		}, []string{"a:1: remove: " + reasonExpired, "b:1: remove: " + reasonExpired}},
		"a circle of expired ones": {[]string{"label=x"}, []tw.Thing{
			bound("a:1", "a", "b:1"), tw.Blob("a"), bound("b:1", "b", "a:1"), tw.Blob("b"),
		}, []string{"a:1: remove: " + reasonExpired, "b:1: remove: " + reasonExpired}},
		"a label of a container": {nil, []tw.Thing{tw.Record("a:1", "a"), tw.Blob("a"), tw.Container("c", "", "", tw.RefImage("a:1"))}, []string{
			"a:1: keep: referred to by container c",
		}},
		"a label of a sandbox": {nil, []tw.Thing{tw.Record("a:1", "a"), tw.Blob("a"), tw.PodSandbox("p", tw.RefImage("a:1", ".x"))}, []string{
			"a:1: keep: referred to by sandbox p",
		}},
		"a lease": {nil, []tw.Thing{tw.Record("a:1", "a", over), tw.Blob("a"), tw.Lease("l", tw.Holding(tw.TheRecord("a:1")))}, []string{
			`a:1: keep: held by lease "l"`,
		}},
		"a flat lease, which holds the target alone": {nil, []tw.Thing{
			tw.Record("a:1", "a", over), tw.Blob("a", tw.RefContent("x")), tw.Blob("x"), tw.Record("b:1", "a"), tw.Record("c:1", "c"), tw.Blob("c"),
			tw.Lease("l", tw.Flat(), tw.Holding(tw.TheRecord("a:1"))),
		}, []string{
			`a:1: keep: held by lease "l"`,
			`b:1: keep: "a:1", which is kept, has all of its content only as long as this record exists`,
			"c:1: remove: unused",
		}},
		"a flat lease, and a name that stays": {nil, []tw.Thing{
			tw.Record("a:1", "a", over), tw.Blob("a", tw.RefContent("x")), tw.Blob("x"), tw.Record("b:1", "a"), tw.Record("c:1", "a", tw.RefImage("b:1")), tw.Container("d", "c:1", ""),
			tw.Lease("l", tw.Flat(), tw.Holding(tw.TheRecord("a:1"))),
		}, []string{
			`a:1: keep: held by lease "l"`,
			`b:1: keep: referred to by "c:1", which is kept`,
			"c:1: keep: in use by container d",
		}},
		"a lease that ends": {nil, append(bundle(keep), tw.Lease("pull", tw.Expiring(tw.Noon.Add(1)), tw.Holding(tw.TheBlob("one"), tw.TheRecord("app-1:1")))), []string{
			`app-1:1: keep: held by lease "pull"`,
			"app-2:1: keep: is part of \"base:1\", which is kept",
			`base:1: keep: "app-1:1", which is kept, exists only as long as this record`,
		}},
		"a label of a record that stays": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a"), tw.Record("b:1", "b", keep, tw.RefImage("a:1")), tw.Blob("b"), tw.Record("c:1", "c", tw.RefImage("a:1")), tw.Blob("c"),
		}, []string{
			`a:1: keep: referred to by "b:1", which is kept`,
			`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
			"c:1: remove: unused",
		}},
		"a label of what is in use by its digest": {nil, []tw.Thing{
			tw.Record("a:1", "a"), tw.Blob("a", tw.RefImage("b:1")), tw.Record("b:1", "b"), tw.Blob("b"), tw.Container("c", tw.Digest("a").String(), ""),
		}, []string{
			`a:1: stand-in: the name is removed and replaced by "<none>@«a»", because its image is in use by container c`,
			`b:1: keep: referred to by "a:1", which is kept`,
		}},
		"a label of what a root holds": {nil, []tw.Thing{tw.Record("a:1", "a"), tw.Blob("a"), tw.Blob("x", tw.GCRoot(), tw.RefImage("a:1"))}, []string{
			"a:1: keep: referred to by label containerd.io/gc.root on content " + tw.Digest("x").String(),
		}},
		"a root label on a record": {nil, []tw.Thing{tw.Record("a:1", "a", tw.Labelled("containerd.io/gc.root/mine", "")), tw.Blob("a")}, []string{
			"a:1: keep: kept by its label containerd.io/gc.root/mine",
		}},
	} {
		t.Run(title, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(c.typed...), c.things, c.want) })
	}
}

// What belongs to a record that another one keeps stays as well, and what that
// lives by, and so on.
func TestTiesAndBelongings(t *testing.T) {
	things := []tw.Thing{
		tw.Record("a:1", "a", tw.Labelled(rules.LabelKeep, "")), tw.Blob("a", tw.RefImage("b:1")),
		tw.Record("b:1", "b"), tw.Blob("b"), bound(signatureOf("b"), "signature", "c:1"), tw.Blob("signature"),
		tw.Record("c:1", "c"), tw.Blob("c"), tw.Record(signatureOf("c"), "other"), tw.Blob("other"),
		tw.Record("d:1", "d"), tw.Blob("d"),
	}
	got := tw.Decided(t, tw.World{"default": things}, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()})
	for _, line := range got {
		if stays := strings.Contains(line, ": keep: "); stays == strings.HasPrefix(line, "d:1") {
			t.Errorf("want all but d:1 to stay, got %q", line)
		}
	}
}

func signatureOf(text string) string {
	return fmt.Sprintf("s:sha256-%s.sig", tw.Digest(text).Encoded())
}

// In k8s.io the names of an image go together; a name that nothing holds any
// more is none of them.
func TestTiesOfCRI(t *testing.T) {
	for title, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"a name that another lives by": {
			[]tw.Thing{
				tw.Record("a:1", "a"), tw.Record("a:2", "a"), tw.Blob("a"), bound("b:1", "b", "a:1", tw.Labelled(rules.LabelKeep, "")), tw.Blob("b"),
			},
			[]string{
				`a:1: keep: "b:1", which is kept, exists only as long as this record`,
				`a:2: keep: CRI keeps the names of an image together, and "a:1" is kept: "b:1", which is kept, exists only as long as this record`,
				`b:1: keep: pinned by label ctr-prune/keep on "b:1"`,
			},
		},
		"an expired name of an image that stays": {
			[]tw.Thing{tw.Record("a:1", "a", tw.Expiring(tw.Noon.Add(-1))), tw.Record("a:2", "a", tw.Created(tw.Noon)), tw.Blob("a")},
			[]string{"a:1: remove: " + reasonExpired, "a:2: keep: younger than 1h (0s old)"},
		},
		"one that is younger": {
			[]tw.Thing{tw.Record("a:1", "a", tw.Expiring(tw.Noon.Add(-1)), tw.Created(tw.Noon)), tw.Record("a:2", "a"), tw.Blob("a")},
			[]string{"a:1: remove: " + reasonExpired, "a:2: remove: unused"},
		},
	} {
		t.Run(title, func(t *testing.T) { tw.CheckDecided(t, store.CRINamespace, tw.All("until=1h"), c.things, c.want) })
	}
}

// A collector before 2.0 knows no expiry of records, and so no ties.
func TestTiesMeanNothingToOldServers(t *testing.T) {
	inv := tw.World{"default": bundle(tw.Labelled(rules.LabelKeep, ""))}.Inventory()
	inv.Store.Version = "1.7.35"
	plan := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("reference=base")}, tw.Noon))
	for _, d := range plan.Decisions {
		if want := d.Name == "base:1"; d.Gone() != want {
			t.Errorf("%s: %s: %s, want it to go: %v", d.Name, d.Action, d.Reason, want)
		}
	}
}

// What this run's own lease holds keeps nothing alive.
func TestTiesOfTheRunItself(t *testing.T) {
	things := []tw.Thing{
		tw.Record("a:1", "a"), tw.Blob("a", tw.RefImage("b:1")), tw.Record("b:1", "b"), tw.Blob("b"),
		tw.Lease(leases.RunID, tw.Holding(tw.TheBlob("a"))),
	}
	tw.CheckDecided(t, "default", tw.All(), things, []string{"a:1: remove: unused", "b:1: remove: unused"})
}

// A chain of ten thousand ties costs its length.
func TestManyTies(t *testing.T) {
	const n = 10_000
	things := []tw.Thing{tw.Record("r-0", "x"), tw.Blob("x")}
	for i := 1; i <= n; i++ {
		things = append(things, bound(fmt.Sprintf("r-%d", i), "x", fmt.Sprintf("r-%d", i-1)))
	}
	things[len(things)-1].Labels[rules.LabelKeep] = ""
	plan := tw.Must(plan.NewPlan(tw.World{"default": things}.Inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, tw.Noon))
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
