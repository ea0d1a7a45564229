package prune

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// unpacked is an image with a config and one layer, unpacked onto a chain that
// ends in the snapshot top.
func unpacked(manifest, top, parent string) []thing {
	return []thing{
		blob(manifest, refContent(manifest+" config", ".config"), refContent(manifest+" layer", ".l.0")),
		blob(manifest+" config", refSnapshot(top)), blob(manifest + " layer"),
		snapshot(top, parent),
	}
}

// layer is the chain ID that an unpacked layer is named by.
func layer(n string) string { return "sha256:" + strings.Repeat(n, 64) }

// join puts groups of things together, with adds to a group.
func join(groups ...[]thing) []thing { return slices.Concat(groups...) }

func with(group []thing, more ...thing) []thing { return slices.Concat(group, more) }

func TestUseByName(t *testing.T) {
	const unused, used = "remove: unused", "keep: in use by container c"
	for name, c := range map[string]struct {
		things []thing
		want   []string
	}{
		"nobody": {[]thing{record("docker.io/library/x:1", "a")}, []string{"docker.io/library/x:1: " + unused}},
		"its name": {
			[]thing{record("docker.io/library/x:1", "a"), record("docker.io/library/x:2", "a"), container("c", "docker.io/library/x:1", "")},
			[]string{"docker.io/library/x:1: " + used, "docker.io/library/x:2: " + unused},
		},
		"its familiar name": {
			[]thing{record("docker.io/library/x:1", "a"), container("c", "x:1", "")},
			[]string{"docker.io/library/x:1: " + used},
		},
		"its name without the tag": {
			[]thing{record("docker.io/library/x:latest", "a"), container("c", "x", "")},
			[]string{"docker.io/library/x:latest: " + used},
		},
		"a name that was never completed": {
			[]thing{record("x:1", "a"), container("c", "docker.io/library/x:1", "")},
			[]string{"x:1: " + used},
		},
		"two spellings of its name": { // either may be the one that was meant
			[]thing{record("x:1", "a"), record("docker.io/library/x:1", "b"), container("c", "docker.io/library/x:1", "")},
			[]string{"docker.io/library/x:1: " + used, "x:1: " + used},
		},
		"a name that is no reference": {
			[]thing{record("My Image", "a"), record("my image", "a"), container("c", "My Image", "")},
			[]string{"My Image: " + used, "my image: " + unused},
		},
		"a dangling name": {
			[]thing{record("overlayfs@"+dig("a").String(), "a"), container("c", "overlayfs@"+dig("a").String(), "")},
			[]string{"overlayfs@«a»: " + used},
		},
		"a name that moved": { // the container has the name, not the image
			[]thing{record("docker.io/library/x:1", "b"), record("docker.io/library/y:1", "a"), container("c", "docker.io/library/x:1", "")},
			[]string{"docker.io/library/x:1: " + used, "docker.io/library/y:1: " + unused},
		},
		"three containers": {
			[]thing{record("x:1", "a"), container("c", "x:1", ""), container("d", "x:1", ""), container("e", "x:1", "")},
			[]string{"x:1: keep: in use by container c and 2 more"},
		},
		"two containers": {
			[]thing{record("x:1", "a"), container("c", "x:1", ""), container("d", "x:1", "")},
			[]string{"x:1: keep: in use by container c and container d"},
		},
		"a hostile name": {
			[]thing{record("\x1b[2J\n", "a"), record(strings.Repeat("x", 20000), "a"), container("c", "\x1b[2J\n", "")},
			[]string{"\x1b[2J", ": " + used, strings.Repeat("x", 20000) + ": " + unused},
		},
	} {
		t.Run(name, func(t *testing.T) { checkDecided(t, "default", all(), c.things, c.want) })
	}
}

// standsIn is the decision about a last record whose image is in use.
func standsIn(name, text, by string) string {
	return name + `: stand-in: the name goes and "<none>@«` + text + `»" takes its place: its image is in use by ` + by
}

func TestUseByDigest(t *testing.T) {
	image := join([]thing{blob("a", refContent("b", ".config")), blob("b")}, []thing{record("docker.io/library/x:1", "a")})
	for name, text := range map[string]string{
		"the target's digest":          dig("a").String(),
		"the config's":                 dig("b").String(),
		"a name with the digest":       "docker.io/library/gone@" + dig("a").String(),
		"tag and digest":               "gone:1@" + dig("a").String(),
		"an ID that docker prints":     dig("b").Encoded()[:12],
		"a full ID without algorithm":  dig("b").Encoded(),
		"the beginning of a digest":    "sha256:" + dig("a").Encoded()[:7],
		"the shortest beginning of it": dig("a").Encoded()[:rules.MinPrefix],
	} {
		t.Run(name, func(t *testing.T) {
			checkDecided(t, "default", all(), with(image, container("c", text, "")), []string{
				standsIn("docker.io/library/x:1", "a", "container c"),
			})
		})
	}
	for name, text := range map[string]string{
		"too short":       dig("a").Encoded()[:rules.MinPrefix-1],
		"no digits":       "zzzz",
		"another's":       dig("c").String(),
		"capital letters": strings.ToUpper(dig("a").Encoded()[:12]),
	} {
		t.Run(name, func(t *testing.T) {
			checkDecided(t, "default", all(), with(image, container("c", text, "")), []string{"docker.io/library/x:1: remove: unused"})
		})
	}
}

func TestUseByDigestOfOneOfSeveral(t *testing.T) {
	for name, c := range map[string]struct {
		things []thing
		want   []string
	}{
		"the last name stands in": {
			[]thing{record("x:1", "a"), record("x:2", "a"), container("c", dig("a").String(), "")},
			[]string{"x:1: remove: unused", standsIn("x:2", "a", "container c")},
		},
		"one that stays anyway does it": {
			[]thing{record("x:1", "a"), record("x:2", "a"), container("c", dig("a").String(), ""), container("d", "x:1", "")},
			[]string{"x:1: keep: in use by container d", "x:2: remove: unused"},
		},
		"a stand-in that is there stays": {
			[]thing{record("x:1", "a"), record("<none>@"+dig("a").String(), "a"), container("c", dig("a").String(), "")},
			[]string{"<none>@«a»: keep: stands in for an image in use by container c", "x:1: remove: unused"},
		},
		"so does any dangling name": {
			[]thing{record("x:1", "a"), record("overlayfs@"+dig("a").String(), "a"), container("c", dig("a").String(), "")},
			[]string{"overlayfs@«a»: keep: stands in for an image in use by container c", "x:1: remove: unused"},
		},
		"a stand-in for nobody goes": {
			[]thing{record("<none>@"+dig("a").String(), "a"), container("c", dig("b").String(), "")},
			[]string{"<none>@«a»: remove: unused and dangling"},
		},
		"a stand-in's name that is another image's": {
			[]thing{record("x:1", "a"), record("<none>@"+dig("a").String(), "b"), container("c", dig("a").String(), "")},
			[]string{
				"<none>@«a»: remove: unused and dangling",
				`x:1: keep: its image is in use by container c, and "<none>@«a»", which would take its place, is another image`,
			},
		},
		"docker create a:1, docker tag a:1 z:1, docker rmi a:1": { // the container keeps the name it was made from
			with(unpacked("a", layer("1"), ""), record("docker.io/library/z:1", "a"), active("c", layer("1")), container("c", "docker.io/library/a:1", "c")),
			[]string{standsIn("docker.io/library/z:1", "a", "container c, whose snapshot stands on it")},
		},
		"an index, by one of its platforms": {
			[]thing{
				blob("a", refContent("b", ".m.0"), refContent("c", ".m.1")), blob("b"), record("x:1", "a"),
				container("c", dig("b").String(), ""),
			},
			[]string{standsIn("x:1", "a", "container c")},
		},
		"a target that is not there": {
			[]thing{record("x:1", "a"), container("c", dig("a").String(), "")},
			[]string{standsIn("x:1", "a", "container c")},
		},
	} {
		t.Run(name, func(t *testing.T) { checkDecided(t, "default", all(), c.things, c.want) })
	}
}

func TestUseByAncestry(t *testing.T) {
	base := with(unpacked("a", layer("1"), ""), record("base:1", "a"))
	derived := join(base, unpacked("b", layer("2"), layer("1")), []thing{record("derived:1", "b")})
	const by = "container c, whose snapshot stands on it"
	for name, c := range map[string]struct {
		things []thing
		want   []string
	}{
		"a container that names no image": {
			with(base, active("rw", layer("1")), container("c", "", "rw")),
			[]string{standsIn("base:1", "a", by)},
		},
		"a container whose image is gone": {
			with(base, active("rw", layer("1")), container("c", "gone:1", "rw")),
			[]string{standsIn("base:1", "a", by)},
		},
		"with an init layer between": {
			with(base, active("rw-init", layer("1")), active("rw", "rw-init"), container("c", "", "rw")),
			[]string{standsIn("base:1", "a", by)},
		},
		"the chain's top itself": {
			with(base, container("c", "", layer("1"))),
			[]string{standsIn("base:1", "a", by)},
		},
		"the derived image, not its base": {
			with(derived, active("rw", layer("2")), container("c", "", "rw")),
			[]string{"base:1: remove: unused", standsIn("derived:1", "b", by)},
		},
		"the base, if the derived image is gone and the container is known by nothing else": {
			join(base, []thing{snapshot(layer("2"), layer("1")), active("rw", layer("2")), container("c", "", "rw")}),
			[]string{standsIn("base:1", "a", by)},
		},
		"not the base, if the container's image is known": {
			join(base, []thing{
				record("other:1", "c"), snapshot(layer("2"), layer("1")), active("rw", layer("2")), container("c", "other:1", "rw"),
			}),
			[]string{"base:1: remove: unused", "other:1: keep: in use by container c"},
		},
		"a name that was moved since, and what it was": {
			with(derived, active("rw", layer("1")), container("c", "derived:1", "rw")),
			[]string{standsIn("base:1", "a", by), "derived:1: keep: in use by container c"},
		},
		"another snapshotter's snapshot of that name": {
			with(base, active("rw", "", in("other")), container("c", "", "rw", in("other"))),
			[]string{"base:1: remove: unused"},
		},
		"a snapshot that is gone": {
			with(base, container("c", "", "rw")),
			[]string{"base:1: remove: unused"},
		},
		"snapshots in a ring": { // which no snapshotter makes
			with(base, active("rw", "rx"), active("rx", "rw"), container("c", "", "rw")),
			[]string{"base:1: remove: unused"},
		},
		"two images with one chain": {
			join(base, unpacked("b", layer("1"), "")[:3], []thing{record("same:1", "b"), active("rw", layer("1")), container("c", "", "rw")}),
			[]string{standsIn("base:1", "a", by), standsIn("same:1", "b", by)},
		},
	} {
		t.Run(name, func(t *testing.T) { checkDecided(t, "default", all(), c.things, c.want) })
	}
}

func TestUnknownImagesAreTold(t *testing.T) {
	w := world{"default": {
		record("x:1", "a"), container("c", "gone:1", ""), container("d", "", "nowhere"), container("e", "x:1", "nowhere"),
	}}
	plan := must(plan.NewPlan(w.inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	notes := strings.Join(plan.Notes, "\n")
	for _, want := range []string{`container c uses image "gone:1", which is not in the store`, "container d names no image and stands on none"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes %q do not tell: %s", notes, want)
		}
	}
	if strings.Contains(notes, "container e") {
		t.Errorf("notes %q tell of a container whose image is known", notes)
	}
}

// A pull or a build makes its record under its lease, and is not done with it
// before the lease is given up.
func TestHeldByALease(t *testing.T) {
	now := expiring(noon.Add(time.Hour))
	checkDecided(t, "default", all(), []thing{
		record("x:1", "a"), record("x:2", "a"), record("y:1", "b"), record("z:1", "c"),
		lease("pull", now, holding(theRecord("x:1"))), lease("flat", now, flat(), holding(theRecord("y:1"))),
		lease("gone", expiring(noon.Add(-time.Hour)), holding(theRecord("z:1"))), lease("blob", now, holding(theBlob("c"))),
	}, []string{
		`x:1: keep: held by lease "pull"`, "x:2: remove: unused", `y:1: keep: held by lease "flat"`, "z:1: remove: unused",
	})
	old := world{"default": {record("x:1", "a"), lease("pull", now, holding(theRecord("x:1")))}}.inventory()
	old.Store.Version = "1.7.35"
	plan := must(plan.NewPlan(old, rules.Policy{AllNamespaces: true, Filters: all()}, noon))
	if d := plan.Decisions[0]; d.Action != rules.Remove {
		t.Errorf("before 2.0 no lease holds a record, but: %+v", d)
	}
}
