package rules_test

import (
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// The ways in which a signature s says that it is about image a.
func signatures() map[string][]tw.Thing {
	tag := "x:sha256-" + tw.Digest("a").Encoded()
	return map[string][]tw.Thing{
		"by its manifest's subject": {tw.Blob("s", tw.About("a")), tw.Record("s:1", "s")},
		"by containerd's label":     {tw.Blob("s"), tw.Record("s:1", "s"), tw.Blob("a", tw.RefContent("s", ".referrer.sha256.x"))},
		"by an annotation":          {tw.Blob("s"), tw.Record("s:1", "s", tw.Annotated(images.AnnotationManifestSubject, tw.Digest("a").String()))},
		"by cosign's tag":           {tw.Blob("s"), tw.Record(tag+".sig", "s")},
		"by an attestation's tag":   {tw.Blob("s"), tw.Record(tag+".att", "s")},
		"by an SBOM's tag":          {tw.Blob("s"), tw.Record(tag+".sbom", "s")},
		"by the fallback tag":       {tw.Blob("s"), tw.Record(tag, "s")},
	}
}

func TestSignaturesLiveAndDieWithTheirImage(t *testing.T) {
	for name, signature := range signatures() {
		t.Run(name, func(t *testing.T) {
			name := ""
			for _, thing := range signature {
				if thing.What == graph.KindImage {
					name = thing.Name
				}
			}
			image := append([]tw.Thing{tw.Record("app:1", "a"), tw.Blob("b")}, signature...)
			if len(signature) < 3 {
				image = append(image, tw.Blob("a"))
			}
			check := func(set []string, dangling bool, extra []tw.Thing, want ...string) {
				t.Helper()
				policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(set...)}
				if dangling {
					policy.Filters = tw.OnlyDangling(set...)
				}
				got := tw.Decided(t, tw.World{"default": tw.With(image, extra...)}, policy)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%v %v (-want +got):\n%s", set, extra, diff)
				}
			}
			sig := tw.Legend(name)
			check(nil, false, nil, "app:1: remove: unused", sig+": remove: unused")
			check(nil, false, []tw.Thing{tw.Container("c", "app:1", "")},
				"app:1: keep: in use by container c", sig+`: keep: belongs to "app:1", which is kept`)
			check(nil, false, []tw.Thing{tw.Container("c", tw.Digest("a").String(), "")},
				standsIn("app:1", "a", "container c"), sig+`: keep: belongs to "app:1", which is kept`)
			check([]string{"reference=app"}, false, nil, "app:1: remove: unused", sig+`: remove: belongs to "app:1", which is removed`)
			check([]string{"reference!=app"}, false, nil,
				"app:1: keep: filter reference!=app: it has the name app:1", sig+`: keep: belongs to "app:1", which is kept`)
			check(nil, true, nil, "app:1: keep: not dangling", sig+": keep: not dangling")
		})
	}
}

func TestFamilies(t *testing.T) {
	for name, c := range map[string]struct {
		set    []string
		things []tw.Thing
		want   []string
	}{
		"a young signature of an old image stays": {
			[]string{"until=72h"},
			[]tw.Thing{tw.Record("app:1", "a"), tw.Blob("a"), tw.Record("s:1", "s", tw.Created(tw.Noon)), tw.Blob("s", tw.About("a"))},
			[]string{"app:1: remove: unused", "s:1: keep: younger than 72h (0s old)"},
		},
		"a signature that a filter protects stays": {
			[]string{"reference!=s"},
			[]tw.Thing{tw.Record("app:1", "a"), tw.Record("s:1", "s"), tw.Blob("s", tw.About("a"))},
			[]string{"app:1: remove: unused", "s:1: keep: filter reference!=s: it has the name s:1"},
		},
		"a signature that a container names stays": {
			nil,
			[]tw.Thing{tw.Record("app:1", "a"), tw.Record("s:1", "s"), tw.Blob("s", tw.About("a")), tw.Container("c", "s:1", "")},
			[]string{"app:1: remove: unused", "s:1: keep: in use by container c"},
		},
		"a signature of what is not there is judged by itself": {
			[]string{"reference=app"},
			[]tw.Thing{tw.Record("app:1", "b"), tw.Record("s:1", "s"), tw.Blob("s", tw.About("a"))},
			[]string{"app:1: remove: unused", "s:1: keep: not matched by filter reference=app"},
		},
		"a signature of a signature": {
			nil,
			[]tw.Thing{
				tw.Record("app:1", "a"), tw.Record("s:1", "s"), tw.Blob("s", tw.About("a")), tw.Record("t:1", "t"), tw.Blob("t", tw.About("s")),
				tw.Container("c", "app:1", ""),
			},
			[]string{"app:1: keep: in use by container c", `s:1: keep: belongs to "app:1", which is kept`, `t:1: keep: belongs to "s:1", which is kept`},
		},
		"a long line of signatures": {
			nil,
			[]tw.Thing{
				tw.Record("app:1", "a"), tw.Container("c", "app:1", ""),
				tw.Record("s:1", "s"), tw.Blob("s", tw.About("a")), tw.Record("t:1", "t"), tw.Blob("t", tw.About("s")),
				tw.Record("u:1", "u"), tw.Blob("u", tw.About("t")), tw.Record("v:1", "v"), tw.Blob("v", tw.About("u")),
			},
			[]string{
				"app:1: keep: in use by container c", `s:1: keep: belongs to "app:1", which is kept`, `t:1: keep: belongs to "s:1", which is kept`,
				`u:1: keep: belongs to "t:1", which is kept`, `v:1: keep: belongs to "u:1", which is kept`,
			},
		},
		"a signature of a signature goes with them": {
			[]string{"reference=app"},
			[]tw.Thing{tw.Record("app:1", "a"), tw.Record("s:1", "s"), tw.Blob("s", tw.About("a")), tw.Record("t:1", "t"), tw.Blob("t", tw.About("s"))},
			[]string{"app:1: remove: unused", `s:1: remove: belongs to "app:1", which is removed`, `t:1: remove: belongs to "s:1", which is removed`},
		},
		"a signature of one platform belongs to the index": {
			nil,
			[]tw.Thing{
				tw.Record("app:1", "i"), tw.Blob("i", tw.RefContent("a", ".m.0")), tw.Blob("a"), tw.Record("s:1", "s"), tw.Blob("s", tw.About("a")),
				tw.Container("c", "app:1", ""),
			},
			[]string{"app:1: keep: in use by container c", `s:1: keep: belongs to "app:1", which is kept`},
		},
		"a signature of two images stays while one does": {
			nil,
			[]tw.Thing{
				tw.Record("app:1", "a"), tw.Record("app:2", "b"), tw.Container("c", "app:2", ""),
				tw.Blob("s", tw.About("a")), tw.Record("s:1", "s", tw.Annotated(images.AnnotationManifestSubject, tw.Digest("b").String())),
			},
			[]string{"app:1: remove: unused", "app:2: keep: in use by container c", `s:1: keep: belongs to "app:2", which is kept`},
		},
		"a child of an index that stays": {
			nil,
			[]tw.Thing{tw.Record("app:1", "i"), tw.Blob("i", tw.RefContent("a", ".m.0")), tw.Record("child:1", "a"), tw.Container("c", "app:1", "")},
			[]string{"app:1: keep: in use by container c", `child:1: keep: is part of "app:1", which is kept`},
		},
		"a child of an index that goes is judged by itself": {
			nil,
			[]tw.Thing{tw.Record("app:1", "i"), tw.Blob("i", tw.RefContent("a", ".m.0")), tw.Record("child:1", "a"), tw.Container("c", "child:1", "")},
			[]string{"app:1: remove: unused", "child:1: keep: in use by container c"},
		},
		"a grandchild": {
			nil,
			[]tw.Thing{
				tw.Record("app:1", "i"), tw.Blob("i", tw.RefContent("j", ".m.0")), tw.Blob("j", tw.RefContent("a", ".m.0")), tw.Record("child:1", "a"),
				tw.Container("c", "app:1", ""),
			},
			[]string{"app:1: keep: in use by container c", `child:1: keep: is part of "app:1", which is kept`},
		},
		"a ring of signatures, one of them in use": {
			nil,
			[]tw.Thing{
				tw.Record("s:1", "s"), tw.Blob("s", tw.About("t")), tw.Record("t:1", "t"), tw.Blob("t", tw.About("u")), tw.Record("u:1", "u"), tw.Blob("u", tw.About("s")),
				tw.Container("c", "t:1", ""),
			},
			[]string{`s:1: keep: belongs to "t:1", which is kept`, "t:1: keep: in use by container c", `u:1: keep: belongs to "s:1", which is kept`},
		},
		"a ring of signatures, one of them in use by its digest": {
			nil,
			[]tw.Thing{
				tw.Record("s:1", "s"), tw.Blob("s", tw.About("t")), tw.Record("t:1", "t"), tw.Blob("t", tw.About("s")), tw.Container("c", tw.Digest("s").String(), ""),
			},
			[]string{`s:1: keep: belongs to "t:1", which is kept`, `t:1: keep: belongs to "s:1", which is kept`},
		},
		"a ring of signatures that nobody uses": {
			nil,
			[]tw.Thing{tw.Record("s:1", "s"), tw.Blob("s", tw.About("t")), tw.Record("t:1", "t"), tw.Blob("t", tw.About("s"))},
			[]string{"s:1: remove: unused", "t:1: remove: unused"},
		},
		"a ring of signatures that filters keep": { // each is judged by itself
			[]string{"reference=app"},
			[]tw.Thing{tw.Record("s:1", "s"), tw.Blob("s", tw.About("t")), tw.Record("t:1", "t"), tw.Blob("t", tw.About("s"))},
			[]string{"s:1: keep: not matched by filter reference=app", "t:1: keep: not matched by filter reference=app"},
		},
		"a signature of itself": {
			[]string{"reference=app"},
			[]tw.Thing{tw.Record("s:1", "s"), tw.Blob("s", tw.About("s"))},
			[]string{"s:1: keep: not matched by filter reference=app"},
		},
		"two names of a signature of itself, one in use": {
			nil,
			[]tw.Thing{tw.Record("s:1", "s"), tw.Record("s:2", "s"), tw.Blob("s", tw.About("s")), tw.Container("c", "s:1", "")},
			[]string{"s:1: keep: in use by container c", "s:2: remove: unused"},
		},
		"an index about its own child": {
			[]string{"reference=child"},
			[]tw.Thing{tw.Record("x:sha256-"+tw.Digest("a").Encoded(), "i"), tw.Blob("i", tw.RefContent("a", ".m.0")), tw.Blob("a"), tw.Record("child:1", "a")},
			[]string{
				`child:1: keep: is part of "x:sha256-` + tw.Digest("a").Encoded() + `", which is kept`,
				"x:sha256-" + tw.Digest("a").Encoded() + ": keep: not matched by filter reference=child",
			},
		},
		"a name that only looks like a signature's": {
			[]string{"reference=app"},
			[]tw.Thing{tw.Record("app:1", "a"), tw.Record("x:sha256-"+tw.Digest("a").Encoded()[:63], "s"), tw.Record("y:sha256-"+tw.Digest("a").Encoded()+".zip", "s")},
			[]string{
				"app:1: remove: unused",
				"x:sha256-" + tw.Digest("a").Encoded()[:63] + ": keep: not matched by filter reference=app",
				"y:sha256-" + tw.Digest("a").Encoded() + ".zip: keep: not matched by filter reference=app",
			},
		},
	} {
		t.Run(name, func(t *testing.T) { tw.CheckDecided(t, "default", tw.All(c.set...), c.things, c.want) })
	}
}

// A signature has a name of its own, but dies with a dangling image.
func TestSignatureOfADanglingImage(t *testing.T) {
	things := []tw.Thing{tw.Record("<none>@"+tw.Digest("a").String(), "a"), tw.Blob("a"), tw.Record("s:1", "s"), tw.Blob("s", tw.About("a"))}
	tw.CheckDecided(t, "default", tw.OnlyDangling(), things, []string{
		"<none>@«a»: remove: unused and dangling", `s:1: remove: belongs to "<none>@«a»", which is removed`,
	})
}
