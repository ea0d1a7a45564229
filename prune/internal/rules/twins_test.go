package rules_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// twin is an image with the layers of others whose config is another.
func twin(text string, records ...string) []tw.Thing {
	things := []tw.Thing{tw.Blob(text, tw.RefContent(text+" config", ".config")), tw.Blob(text+" config", tw.RefSnapshot(tw.Layer("1")))}
	for _, name := range records {
		things = append(things, tw.Record(name, text))
	}
	return things
}

// twins are two of them, and the snapshot of a container.
func twins(of []tw.Thing, others ...tw.Thing) []tw.Thing {
	return tw.Join([]tw.Thing{tw.Snapshot(tw.Layer("1"), ""), tw.Active("rw", tw.Layer("1"))}, of, others)
}

const byChain = "container c, whose snapshot is based on it"

func none(text string) string { return "<none>@" + tw.Digest(text).String() }

// The same layers are not the same image: where a container's own record names
// its image, others on its layers are not in use.
func TestTwinsOfAnImageInUse(t *testing.T) {
	const unused, used = ": remove: unused", ": keep: in use by container c"
	inNerdctl := func(digestOf string) []tw.Thing {
		return []tw.Thing{tw.Container("c", "x:1", "rw", tw.Labelled(inventory.LabelNerdctlDigest, digestOf))}
	}
	for name, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"named": {
			twins(twin("a", "x:1"), tw.Join(twin("b", "x:zstd"), twin("d", none("d")), []tw.Thing{tw.Container("c", "x:1", "rw")})...),
			[]string{"<none>@«d»: remove: unused and dangling", "x:1" + used, "x:zstd" + unused},
		},
		"named by digest": {
			twins(twin("a", "x:1"), tw.Join(twin("b", "x:2"), []tw.Thing{tw.Container("c", tw.Digest("a").String(), "rw")})...),
			[]string{standsIn("x:1", "a", "container c"), "x:2" + unused},
		},
		"a name that was moved to a twin": { // it has the layers, and the container has its config
			twins(twin("a", none("a")), tw.Join(twin("b", "x:1"), []tw.Thing{tw.Container("c", "x:1", "rw")})...),
			[]string{"<none>@«a»: remove: unused and dangling", "x:1" + used},
		},
		"a name that was moved to another image": {
			twins(twin("a", none("a")), tw.Record("x:1", "other"), tw.Container("c", "x:1", "rw")),
			[]string{"<none>@«a»: keep: stands in for an image in use by " + byChain, "x:1" + used},
		},
		"a name that will expire": {
			twins(twin("a"), tw.Join(twin("b", "y:1"), []tw.Thing{tw.Record("x:1", "a", tw.Expiring(tw.Noon.Add(time.Hour))), tw.Container("c", "x:1", "rw")})...),
			[]string{"x:1" + used, standsIn("y:1", "b", byChain)},
		},
		"nerdctl's note": { // x:1 is another image of the same layers by now
			twins(twin("a", none("a")), tw.Join(twin("b", "x:1"), twin("d", "x:2"), inNerdctl(tw.Digest("a").String()))...),
			[]string{"<none>@«a»: keep: stands in for an image in use by container c", "x:1" + used, "x:2" + unused},
		},
		"nerdctl's note of an image that is gone": {
			twins(twin("a", "x:1"), tw.Join(twin("b", "y:1"), inNerdctl(tw.Digest("gone").String()))...),
			[]string{"x:1" + used, "y:1" + unused},
		},
		"nerdctl's note that is none": {
			twins(twin("a", "x:1"), tw.Join(twin("b", "y:1"), inNerdctl("a"))...),
			[]string{"x:1" + used, "y:1" + unused},
		},
		"an image that has lost its labels does not show its layers": {
			twins(twin("b", "y:1"), tw.Blob("a", tw.RefContent("a config", ".config")), tw.Blob("a config"), tw.Record("x:1", "a"), tw.Container("c", "x:1", "rw")),
			[]string{"x:1" + used, standsIn("y:1", "b", byChain)},
		},
		"one of several platforms": {
			twins(twin("a"), tw.Join(twin("b", "y:1"), []tw.Thing{
				tw.Blob("i", tw.RefContent("a", ".m.0"), tw.RefContent("s390x", ".m.1")), tw.Record("x:1", "i"), tw.Container("c", "x:1", "rw"),
			})...),
			[]string{"x:1" + used, "y:1" + unused},
		},
		"two containers, one of which names nothing": {
			twins(twin("a", "x:1"), tw.Join(twin("b", "y:1"), []tw.Thing{tw.Container("c", "x:1", "rw"), tw.Container("d", "", "rw")})...),
			[]string{"x:1" + used, "y:1" + unused},
		},
	} {
		t.Run(name, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(), c.things, c.want) })
	}
}

// What stands in for an image that stays by a name stands in for nothing.
func TestStandInsBesideNames(t *testing.T) {
	for name, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"of the same image": {
			twins(twin("a", "x:1", none("a"), ":"), tw.Container("c", "", "rw")),
			[]string{":: remove: unused and dangling", "<none>@«a»: remove: unused and dangling", "x:1: keep: not dangling"},
		},
		"of the same layers": {
			twins(twin("a", "x:1"), tw.Join(twin("b", none("b")), []tw.Thing{tw.Container("c", "gone:1", "rw")})...),
			[]string{"<none>@«b»: remove: unused and dangling", "x:1: keep: not dangling"},
		},
		"of the same layers, by its digest": {
			twins(twin("a", "x:1"), tw.Join(twin("b", none("b")), []tw.Thing{tw.Container("c", tw.Digest("b").String(), "rw")})...),
			[]string{"<none>@«b»: keep: stands in for an image in use by container c", "x:1: keep: not dangling"},
		},
		"of two without a name": {
			twins(twin("a", ":"), tw.Join(twin("b", none("b")), []tw.Thing{tw.Container("c", "gone:1", "rw")})...),
			[]string{":: keep: stands in for an image in use by " + byChain, "<none>@«b»: keep: stands in for an image in use by " + byChain},
		},
		"a name that will expire": {
			twins(twin("a", none("a")), tw.Record("x:1", "a", tw.Expiring(tw.Noon.Add(time.Hour))), tw.Container("c", "", "rw")),
			[]string{"<none>@«a»: keep: stands in for an image in use by " + byChain, "x:1: keep: not dangling"},
		},
	} {
		t.Run(name, func(t *testing.T) { tw.CheckDecided(t, "default", tw.OnlyDangling(), c.things, c.want) })
	}
}

// One that is being created has not said yet which image it means.
func TestTwinsOfABeginningStay(t *testing.T) {
	inv := tw.World{"default": twins(twin("a", "x:1"), twin("b", none("b"))...)}.Inventory()
	inv.Namespaces[0].Uses = append(inv.Namespaces[0].Uses, inventory.Use{Snapshot: inventory.SnapshotKey{Snapshotter: "memory", Key: "rw"}, Begun: true})
	plan := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}}, tw.Noon))
	for _, d := range plan.Decisions {
		if d.Action != rules.Keep {
			t.Errorf("%s: %s, %s", d.Name, d.Action, d.Reason)
		}
	}
}

// What `nerdctl rmi -f` leaves of the image of a running container.
func TestColonIsADanglingName(t *testing.T) {
	colon := ":" + tw.Digest("a").String()
	tw.CheckDecided(t, "default", tw.OnlyDangling(), []tw.Thing{tw.Record(":", "a"), tw.Record(colon, "a"), tw.Record(":1", "b")}, []string{
		":: remove: unused and dangling", ":1: keep: not dangling", ":«a»: remove: unused and dangling",
	})
}

// Label-only rebuilds in Kubernetes: of all images on the layers of a pod's, the
// one that CRI notes is in use, and what the container calls it.
func TestTwinsOfAPodsImage(t *testing.T) {
	const tag = "registry.k8s.io/a:1"
	id := func(text string) string { return tw.Digest(text + " config").String() }
	own := pod("c", tag, id("a"))
	own.Key = "rw"
	things := twins(twin("a", "registry.k8s.io/a@"+tw.Digest("a").String(), id("a")),
		tw.Join(twin("b", "registry.k8s.io/a@"+tw.Digest("b").String(), id("b")), twin("d", tag, id("d")),
			[]tw.Thing{own})...)
	got := tw.Decided(t, tw.World{store.CRINamespace: things}, rules.Policy{Namespaces: []string{store.CRINamespace}, Filters: tw.All()})
	const inUse = ": keep: in use by pod shop/web-1, container app"
	want := []string{
		tag + inUse, "registry.k8s.io/a@«a»" + inUse, "registry.k8s.io/a@«b»: remove: unused",
		id("a") + inUse, id("b") + ": remove: unused",
		id("d") + `: keep: CRI keeps the names of an image together, and "` + tag + `" is kept: in use by pod shop/web-1, container app`,
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

// In Kubernetes no image stays because of another that stays because of it.
func TestTwinsOfAPodsImageStayIfNothingIsKnown(t *testing.T) {
	things := twins(twin("a", "a:1"), tw.Join(twin("b", "b:1"), []tw.Thing{tw.Container("c", "", "rw")})...)
	tw.CheckDecided(t, store.CRINamespace, tw.All(), things, []string{"a:1: keep: in use by " + byChain, "b:1: keep: in use by " + byChain})
}

// CRI shows an index and a manifest in it as one image, with one record of its
// ID: their names go together.
func TestSiblingsOfKubernetesGoWhole(t *testing.T) {
	id := tw.Digest("m config").String()
	blobs := []tw.Thing{tw.Blob("i", tw.RefContent("m", ".m.0")), tw.Blob("m", tw.RefContent("m config", ".config")), tw.Blob("m config")}
	managed := tw.Labelled(inventory.LabelManaged, inventory.ValueManaged)
	const together = `: keep: CRI keeps the names of an image together, and "`
	for name, c := range map[string]struct {
		things []tw.Thing
		policy rules.Policy
		want   []string
	}{
		"unused": {
			[]tw.Thing{tw.Record("x:1", "i"), tw.Record("y:1", "m"), tw.Record(id, "i")}, rules.Policy{Filters: tw.All()},
			[]string{id + ": remove: unused", "x:1: remove: unused", "y:1: remove: unused"},
		},
		"one name in use": {
			[]tw.Thing{tw.Record("x:1", "i"), tw.Record("y:1", "m"), tw.Record(id, "i"), tw.Container("c", "y:1", "")}, rules.Policy{Filters: tw.All()},
			[]string{id + together + `y:1" is kept: in use by container c`, "x:1" + together + `y:1" is kept: in use by container c`, "y:1: keep: in use by container c"},
		},
		"one name is young": {
			[]tw.Thing{tw.Record("x:1", "i"), tw.Record("y:1", "m", tw.Created(tw.Noon)), tw.Record(id, "i")}, rules.Policy{Filters: tw.All("until=72h")},
			[]string{id + ": keep: younger than 72h (0s old)", "x:1: keep: younger than 72h (0s old)", "y:1: keep: younger than 72h (0s old)"},
		},
		"no name": {
			[]tw.Thing{tw.Record(id, "i", managed), tw.Record(none("m"), "m")}, rules.Policy{},
			[]string{none("m") + ": remove: unused and dangling", id + ": remove: unused and dangling"},
		},
		"a name beside one that is none": {
			[]tw.Thing{tw.Record(id, "i", managed), tw.Record("x:1", "i"), tw.Record(none("m"), "m")}, rules.Policy{},
			[]string{none("m") + ": keep: not dangling", id + ": keep: not dangling", "x:1: keep: not dangling"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.policy.Namespaces = []string{store.CRINamespace}
			got := tw.Decided(t, tw.World{store.CRINamespace: tw.Join(blobs, c.things)}, c.policy)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("decisions (-want +got):\n%s", diff)
			}
		})
	}
}
