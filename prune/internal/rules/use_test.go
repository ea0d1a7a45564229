package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestUseByName(t *testing.T) {
	const unused, used = "remove: unused", "keep: in use by container c"
	for name, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"nobody": {[]tw.Thing{tw.Record("docker.io/library/x:1", "a")}, []string{"docker.io/library/x:1: " + unused}},
		"its name": {
			[]tw.Thing{tw.Record("docker.io/library/x:1", "a"), tw.Record("docker.io/library/x:2", "a"), tw.Container("c", "docker.io/library/x:1", "")},
			[]string{"docker.io/library/x:1: " + used, "docker.io/library/x:2: " + unused},
		},
		"its familiar name": {
			[]tw.Thing{tw.Record("docker.io/library/x:1", "a"), tw.Container("c", "x:1", "")},
			[]string{"docker.io/library/x:1: " + used},
		},
		"its name without the tag": {
			[]tw.Thing{tw.Record("docker.io/library/x:latest", "a"), tw.Container("c", "x", "")},
			[]string{"docker.io/library/x:latest: " + used},
		},
		"a name that was never completed": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Container("c", "docker.io/library/x:1", "")},
			[]string{"x:1: " + used},
		},
		"two spellings of its name": { // either may be the one that was meant
			[]tw.Thing{tw.Record("x:1", "a"), tw.Record("docker.io/library/x:1", "b"), tw.Container("c", "docker.io/library/x:1", "")},
			[]string{"docker.io/library/x:1: " + used, "x:1: " + used},
		},
		"a name that is no reference": {
			[]tw.Thing{tw.Record("My Image", "a"), tw.Record("my image", "a"), tw.Container("c", "My Image", "")},
			[]string{"My Image: " + used, "my image: " + unused},
		},
		"a dangling name": {
			[]tw.Thing{tw.Record("overlayfs@"+tw.Digest("a").String(), "a"), tw.Container("c", "overlayfs@"+tw.Digest("a").String(), "")},
			[]string{"overlayfs@«a»: " + used},
		},
		"a name that moved": { // the container has the name, not the image
			[]tw.Thing{tw.Record("docker.io/library/x:1", "b"), tw.Record("docker.io/library/y:1", "a"), tw.Container("c", "docker.io/library/x:1", "")},
			[]string{"docker.io/library/x:1: " + used, "docker.io/library/y:1: " + unused},
		},
		"three containers": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Container("c", "x:1", ""), tw.Container("d", "x:1", ""), tw.Container("e", "x:1", "")},
			[]string{"x:1: keep: in use by container c and 2 more"},
		},
		"two containers": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Container("c", "x:1", ""), tw.Container("d", "x:1", "")},
			[]string{"x:1: keep: in use by container c and container d"},
		},
		"a hostile name": {
			[]tw.Thing{tw.Record("\x1b[2J\n", "a"), tw.Record(strings.Repeat("x", 20000), "a"), tw.Container("c", "\x1b[2J\n", "")},
			[]string{"\x1b[2J", ": " + used, strings.Repeat("x", 20000) + ": " + unused},
		},
	} {
		t.Run(name, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(), c.things, c.want) })
	}
}

// standsIn is the decision about a last record whose image is in use.
func standsIn(name, text, by string) string {
	return name + `: stand-in: the name is removed and replaced by "<none>@«` + text + `»", because its image is in use by ` + by
}

func TestUseByDigest(t *testing.T) {
	image := tw.Join([]tw.Thing{tw.Blob("a", tw.RefContent("b", ".config")), tw.Blob("b")}, []tw.Thing{tw.Record("docker.io/library/x:1", "a")})
	for name, text := range map[string]string{
		"the target's digest":          tw.Digest("a").String(),
		"the config's":                 tw.Digest("b").String(),
		"a name with the digest":       "docker.io/library/gone@" + tw.Digest("a").String(),
		"tag and digest":               "gone:1@" + tw.Digest("a").String(),
		"an ID that docker prints":     tw.Digest("b").Encoded()[:12],
		"a full ID without algorithm":  tw.Digest("b").Encoded(),
		"the beginning of a digest":    "sha256:" + tw.Digest("a").Encoded()[:7],
		"the shortest beginning of it": tw.Digest("a").Encoded()[:rules.MinPrefix],
	} {
		t.Run(name, func(t *testing.T) {
			tw.CheckDecided(t, "default", tw.All(), tw.With(image, tw.Container("c", text, "")), []string{
				standsIn("docker.io/library/x:1", "a", "container c"),
			})
		})
	}
	for name, text := range map[string]string{
		"too short":       tw.Digest("a").Encoded()[:rules.MinPrefix-1],
		"no digits":       "zzzz",
		"another's":       tw.Digest("c").String(),
		"capital letters": strings.ToUpper(tw.Digest("a").Encoded()[:12]),
	} {
		t.Run(name, func(t *testing.T) {
			tw.CheckDecided(t, "default", tw.All(), tw.With(image, tw.Container("c", text, "")), []string{"docker.io/library/x:1: remove: unused"})
		})
	}
}

func TestUseByDigestOfOneOfSeveral(t *testing.T) {
	for name, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"the last name stands in": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Record("x:2", "a"), tw.Container("c", tw.Digest("a").String(), "")},
			[]string{"x:1: remove: unused", standsIn("x:2", "a", "container c")},
		},
		"one that stays anyway does it": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Record("x:2", "a"), tw.Container("c", tw.Digest("a").String(), ""), tw.Container("d", "x:1", "")},
			[]string{"x:1: keep: in use by container d", "x:2: remove: unused"},
		},
		"a stand-in that is there stays": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Record("<none>@"+tw.Digest("a").String(), "a"), tw.Container("c", tw.Digest("a").String(), "")},
			[]string{"<none>@«a»: keep: stands in for an image in use by container c", "x:1: remove: unused"},
		},
		"so does any dangling name": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Record("overlayfs@"+tw.Digest("a").String(), "a"), tw.Container("c", tw.Digest("a").String(), "")},
			[]string{"overlayfs@«a»: keep: stands in for an image in use by container c", "x:1: remove: unused"},
		},
		"a stand-in for nobody goes": {
			[]tw.Thing{tw.Record("<none>@"+tw.Digest("a").String(), "a"), tw.Container("c", tw.Digest("b").String(), "")},
			[]string{"<none>@«a»: remove: unused and dangling"},
		},
		"a stand-in's name that is another image's": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Record("<none>@"+tw.Digest("a").String(), "b"), tw.Container("c", tw.Digest("a").String(), "")},
			[]string{
				"<none>@«a»: remove: unused and dangling",
				`x:1: keep: its image is in use by container c, and its stand-in "<none>@«a»" names another image`,
			},
		},
		"docker create a:1, docker tag a:1 z:1, docker rmi a:1": { // the container keeps the name it was made from
			tw.With(tw.Unpacked("a", tw.Layer("1"), ""), tw.Record("docker.io/library/z:1", "a"), tw.Active("c", tw.Layer("1")), tw.Container("c", "docker.io/library/a:1", "c")),
			[]string{standsIn("docker.io/library/z:1", "a", "container c, whose snapshot is based on it")},
		},
		"an index, by one of its platforms": {
			[]tw.Thing{
				tw.Blob("a", tw.RefContent("b", ".m.0"), tw.RefContent("c", ".m.1")), tw.Blob("b"), tw.Record("x:1", "a"),
				tw.Container("c", tw.Digest("b").String(), ""),
			},
			[]string{standsIn("x:1", "a", "container c")},
		},
		"a target that is not there": {
			[]tw.Thing{tw.Record("x:1", "a"), tw.Container("c", tw.Digest("a").String(), "")},
			[]string{standsIn("x:1", "a", "container c")},
		},
	} {
		t.Run(name, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(), c.things, c.want) })
	}
}

func TestUseByAncestry(t *testing.T) {
	base := tw.With(tw.Unpacked("a", tw.Layer("1"), ""), tw.Record("base:1", "a"))
	derived := tw.Join(base, tw.Unpacked("b", tw.Layer("2"), tw.Layer("1")), []tw.Thing{tw.Record("derived:1", "b")})
	const by = "container c, whose snapshot is based on it"
	for name, c := range map[string]struct {
		things []tw.Thing
		want   []string
	}{
		"a container that names no image": {
			tw.With(base, tw.Active("rw", tw.Layer("1")), tw.Container("c", "", "rw")),
			[]string{standsIn("base:1", "a", by)},
		},
		"a container whose image is gone": {
			tw.With(base, tw.Active("rw", tw.Layer("1")), tw.Container("c", "gone:1", "rw")),
			[]string{standsIn("base:1", "a", by)},
		},
		"with an init layer between": {
			tw.With(base, tw.Active("rw-init", tw.Layer("1")), tw.Active("rw", "rw-init"), tw.Container("c", "", "rw")),
			[]string{standsIn("base:1", "a", by)},
		},
		"the chain's top itself": {
			tw.With(base, tw.Container("c", "", tw.Layer("1"))),
			[]string{standsIn("base:1", "a", by)},
		},
		"the derived image, not its base": {
			tw.With(derived, tw.Active("rw", tw.Layer("2")), tw.Container("c", "", "rw")),
			[]string{"base:1: remove: unused", standsIn("derived:1", "b", by)},
		},
		"the base, if the derived image is gone and the container is known by nothing else": {
			tw.Join(base, []tw.Thing{tw.Snapshot(tw.Layer("2"), tw.Layer("1")), tw.Active("rw", tw.Layer("2")), tw.Container("c", "", "rw")}),
			[]string{standsIn("base:1", "a", by)},
		},
		"not the base, if the container's image is known": {
			tw.Join(base, []tw.Thing{
				tw.Record("other:1", "c"), tw.Snapshot(tw.Layer("2"), tw.Layer("1")), tw.Active("rw", tw.Layer("2")), tw.Container("c", "other:1", "rw"),
			}),
			[]string{"base:1: remove: unused", "other:1: keep: in use by container c"},
		},
		"a name that was moved since, and what it was": {
			tw.With(derived, tw.Active("rw", tw.Layer("1")), tw.Container("c", "derived:1", "rw")),
			[]string{standsIn("base:1", "a", by), "derived:1: keep: in use by container c"},
		},
		"another snapshotter's snapshot of that name": {
			tw.With(base, tw.Active("rw", "", tw.In("other")), tw.Container("c", "", "rw", tw.In("other"))),
			[]string{"base:1: remove: unused"},
		},
		"a snapshot that is gone": {
			tw.With(base, tw.Container("c", "", "rw")),
			[]string{"base:1: remove: unused"},
		},
		"snapshots in a ring": { // which no snapshotter makes
			tw.With(base, tw.Active("rw", "rx"), tw.Active("rx", "rw"), tw.Container("c", "", "rw")),
			[]string{"base:1: remove: unused"},
		},
		"two images with one chain": {
			tw.Join(base, tw.Unpacked("b", tw.Layer("1"), "")[:3], []tw.Thing{tw.Record("same:1", "b"), tw.Active("rw", tw.Layer("1")), tw.Container("c", "", "rw")}),
			[]string{standsIn("base:1", "a", by), standsIn("same:1", "b", by)},
		},
	} {
		t.Run(name, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(), c.things, c.want) })
	}
}

func TestUnknownImagesAreTold(t *testing.T) {
	w := tw.World{"default": {
		tw.Record("x:1", "a"), tw.Container("c", "gone:1", ""), tw.Container("d", "", "nowhere"), tw.Container("e", "x:1", "nowhere"),
	}}
	plan := tw.Must(plan.NewPlan(w.Inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, tw.Noon))
	notes := strings.Join(tw.Reasons(plan.Notes), "\n")
	for _, want := range []string{`container c uses image "gone:1", which is not in the store`, "container d names no image and is based on none"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q do not tell: %s", notes, want)
		}
	}
	if strings.Contains(notes, "container e") {
		t.Errorf("notes %q tell of a container whose image is known", notes)
	}
}

// What many containers lack is told once, and not at all of the steps of a
// build.
func TestUnknownImagesAreToldOnce(t *testing.T) {
	things := []tw.Thing{tw.Record("x:1", "a"), tw.Container("f5lxx1zz5pnorynqglhzmsp33", "", "")}
	for i := range 50 {
		things = append(things, tw.Container(fmt.Sprintf("n%02d", i), "", ""), tw.Container(fmt.Sprintf("g%02d", i), "gone:1", ""))
	}
	w := tw.World{"default": things}.Inventory()
	mount := cause.Holder{Kind: "container", ID: "m", State: "image mount"}
	w.Namespaces[0].Uses = append(w.Namespaces[0].Uses, inventory.Use{Holder: mount, Snapshot: inventory.SnapshotKey{Snapshotter: "memory", Key: "v"}}, inventory.Use{Holder: mount, Image: "lost:1"})
	got := tw.Reasons(tw.Must(plan.NewPlan(w, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, tw.Noon)).Notes)
	slices.Sort(got)
	want := []string{
		"container g00 and 49 more use image \"gone:1\", which is not in the store",
		"container m, image mount uses image \"lost:1\", which is not in the store",
		"container n00 and 49 more name no image and are based on none",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// A pull or a build makes its record under its lease, and is not done with it
// before the lease is given up.
func TestHeldByALease(t *testing.T) {
	now := tw.Expiring(tw.Noon.Add(time.Hour))
	tw.CheckDecided(t, "default", tw.All(), []tw.Thing{
		tw.Record("x:1", "a"), tw.Record("x:2", "a"), tw.Record("y:1", "b"), tw.Record("z:1", "c"),
		tw.Lease("pull", now, tw.Holding(tw.TheRecord("x:1"))), tw.Lease("flat", now, tw.Flat(), tw.Holding(tw.TheRecord("y:1"))),
		tw.Lease("gone", tw.Expiring(tw.Noon.Add(-time.Hour)), tw.Holding(tw.TheRecord("z:1"))), tw.Lease("blob", now, tw.Holding(tw.TheBlob("c"))),
	}, []string{
		`x:1: keep: held by lease "pull"`, "x:2: remove: unused", `y:1: keep: held by lease "flat"`, "z:1: remove: unused",
	})
	old := tw.World{"default": {tw.Record("x:1", "a"), tw.Lease("pull", now, tw.Holding(tw.TheRecord("x:1")))}}.Inventory()
	old.Store.Version = "1.7.35"
	plan := tw.Must(plan.NewPlan(old, rules.Policy{AllNamespaces: true, Filters: tw.All()}, tw.Noon))
	if d := plan.Decisions[0]; d.Action != rules.Remove {
		t.Errorf("before 2.0 no lease holds a record, but: %+v", d)
	}
}
