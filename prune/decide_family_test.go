package prune

import (
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// The ways in which a signature s says that it is about image a.
func signatures() map[string][]thing {
	tag := "x:sha256-" + dig("a").Encoded()
	return map[string][]thing{
		"by its manifest's subject": {blob("s", about("a")), record("s:1", "s")},
		"by containerd's label":     {blob("s"), record("s:1", "s"), blob("a", refContent("s", ".referrer.sha256.x"))},
		"by an annotation":          {blob("s"), record("s:1", "s", annotated(images.AnnotationManifestSubject, dig("a").String()))},
		"by cosign's tag":           {blob("s"), record(tag+".sig", "s")},
		"by an attestation's tag":   {blob("s"), record(tag+".att", "s")},
		"by an SBOM's tag":          {blob("s"), record(tag+".sbom", "s")},
		"by the fallback tag":       {blob("s"), record(tag, "s")},
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
			image := append([]thing{record("app:1", "a"), blob("b")}, signature...)
			if len(signature) < 3 {
				image = append(image, blob("a"))
			}
			check := func(set []string, dangling bool, extra []thing, want ...string) {
				t.Helper()
				policy := rules.Policy{Namespaces: []string{"default"}, Filters: all(set...)}
				if dangling {
					policy.Filters = onlyDangling(set...)
				}
				got := decided(t, world{"default": with(image, extra...)}, policy)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%v %v (-want +got):\n%s", set, extra, diff)
				}
			}
			sig := legend(name)
			check(nil, false, nil, "app:1: remove: unused", sig+": remove: unused")
			check(nil, false, []thing{container("c", "app:1", "")},
				"app:1: keep: in use by container c", sig+`: keep: belongs to "app:1", which stays`)
			check(nil, false, []thing{container("c", dig("a").String(), "")},
				standsIn("app:1", "a", "container c"), sig+`: keep: belongs to "app:1", which stays`)
			check([]string{"reference=app"}, false, nil, "app:1: remove: unused", sig+`: remove: belongs to "app:1", which goes`)
			check([]string{"reference!=app"}, false, nil,
				"app:1: keep: filter reference!=app: it has the name app:1", sig+`: keep: belongs to "app:1", which stays`)
			check(nil, true, nil, "app:1: keep: not dangling", sig+": keep: not dangling")
		})
	}
}

func TestFamilies(t *testing.T) {
	for name, c := range map[string]struct {
		set    []string
		things []thing
		want   []string
	}{
		"a young signature of an old image stays": {
			[]string{"until=72h"},
			[]thing{record("app:1", "a"), blob("a"), record("s:1", "s", created(noon)), blob("s", about("a"))},
			[]string{"app:1: remove: unused", "s:1: keep: younger than 72h (0s old)"},
		},
		"a signature that a filter protects stays": {
			[]string{"reference!=s"},
			[]thing{record("app:1", "a"), record("s:1", "s"), blob("s", about("a"))},
			[]string{"app:1: remove: unused", "s:1: keep: filter reference!=s: it has the name s:1"},
		},
		"a signature that a container names stays": {
			nil,
			[]thing{record("app:1", "a"), record("s:1", "s"), blob("s", about("a")), container("c", "s:1", "")},
			[]string{"app:1: remove: unused", "s:1: keep: in use by container c"},
		},
		"a signature of what is not there is judged by itself": {
			[]string{"reference=app"},
			[]thing{record("app:1", "b"), record("s:1", "s"), blob("s", about("a"))},
			[]string{"app:1: remove: unused", "s:1: keep: not matched by filter reference=app"},
		},
		"a signature of a signature": {
			nil,
			[]thing{
				record("app:1", "a"), record("s:1", "s"), blob("s", about("a")), record("t:1", "t"), blob("t", about("s")),
				container("c", "app:1", ""),
			},
			[]string{"app:1: keep: in use by container c", `s:1: keep: belongs to "app:1", which stays`, `t:1: keep: belongs to "s:1", which stays`},
		},
		"a long line of signatures": {
			nil,
			[]thing{
				record("app:1", "a"), container("c", "app:1", ""),
				record("s:1", "s"), blob("s", about("a")), record("t:1", "t"), blob("t", about("s")),
				record("u:1", "u"), blob("u", about("t")), record("v:1", "v"), blob("v", about("u")),
			},
			[]string{
				"app:1: keep: in use by container c", `s:1: keep: belongs to "app:1", which stays`, `t:1: keep: belongs to "s:1", which stays`,
				`u:1: keep: belongs to "t:1", which stays`, `v:1: keep: belongs to "u:1", which stays`,
			},
		},
		"a signature of a signature goes with them": {
			[]string{"reference=app"},
			[]thing{record("app:1", "a"), record("s:1", "s"), blob("s", about("a")), record("t:1", "t"), blob("t", about("s"))},
			[]string{"app:1: remove: unused", `s:1: remove: belongs to "app:1", which goes`, `t:1: remove: belongs to "s:1", which goes`},
		},
		"a signature of one platform belongs to the index": {
			nil,
			[]thing{
				record("app:1", "i"), blob("i", refContent("a", ".m.0")), blob("a"), record("s:1", "s"), blob("s", about("a")),
				container("c", "app:1", ""),
			},
			[]string{"app:1: keep: in use by container c", `s:1: keep: belongs to "app:1", which stays`},
		},
		"a signature of two images stays while one does": {
			nil,
			[]thing{
				record("app:1", "a"), record("app:2", "b"), container("c", "app:2", ""),
				blob("s", about("a")), record("s:1", "s", annotated(images.AnnotationManifestSubject, dig("b").String())),
			},
			[]string{"app:1: remove: unused", "app:2: keep: in use by container c", `s:1: keep: belongs to "app:2", which stays`},
		},
		"a child of an index that stays": {
			nil,
			[]thing{record("app:1", "i"), blob("i", refContent("a", ".m.0")), record("child:1", "a"), container("c", "app:1", "")},
			[]string{"app:1: keep: in use by container c", `child:1: keep: is part of "app:1", which stays`},
		},
		"a child of an index that goes is judged by itself": {
			nil,
			[]thing{record("app:1", "i"), blob("i", refContent("a", ".m.0")), record("child:1", "a"), container("c", "child:1", "")},
			[]string{"app:1: remove: unused", "child:1: keep: in use by container c"},
		},
		"a grandchild": {
			nil,
			[]thing{
				record("app:1", "i"), blob("i", refContent("j", ".m.0")), blob("j", refContent("a", ".m.0")), record("child:1", "a"),
				container("c", "app:1", ""),
			},
			[]string{"app:1: keep: in use by container c", `child:1: keep: is part of "app:1", which stays`},
		},
		"a ring of signatures, one of them in use": {
			nil,
			[]thing{
				record("s:1", "s"), blob("s", about("t")), record("t:1", "t"), blob("t", about("u")), record("u:1", "u"), blob("u", about("s")),
				container("c", "t:1", ""),
			},
			[]string{`s:1: keep: belongs to "t:1", which stays`, "t:1: keep: in use by container c", `u:1: keep: belongs to "s:1", which stays`},
		},
		"a ring of signatures, one of them in use by its digest": {
			nil,
			[]thing{
				record("s:1", "s"), blob("s", about("t")), record("t:1", "t"), blob("t", about("s")), container("c", dig("s").String(), ""),
			},
			[]string{`s:1: keep: belongs to "t:1", which stays`, `t:1: keep: belongs to "s:1", which stays`},
		},
		"a ring of signatures that nobody uses": {
			nil,
			[]thing{record("s:1", "s"), blob("s", about("t")), record("t:1", "t"), blob("t", about("s"))},
			[]string{"s:1: remove: unused", "t:1: remove: unused"},
		},
		"a ring of signatures that filters keep": { // each is judged by itself
			[]string{"reference=app"},
			[]thing{record("s:1", "s"), blob("s", about("t")), record("t:1", "t"), blob("t", about("s"))},
			[]string{"s:1: keep: not matched by filter reference=app", "t:1: keep: not matched by filter reference=app"},
		},
		"a signature of itself": {
			[]string{"reference=app"},
			[]thing{record("s:1", "s"), blob("s", about("s"))},
			[]string{"s:1: keep: not matched by filter reference=app"},
		},
		"two names of a signature of itself, one in use": {
			nil,
			[]thing{record("s:1", "s"), record("s:2", "s"), blob("s", about("s")), container("c", "s:1", "")},
			[]string{"s:1: keep: in use by container c", "s:2: remove: unused"},
		},
		"an index about its own child": {
			[]string{"reference=child"},
			[]thing{record("x:sha256-"+dig("a").Encoded(), "i"), blob("i", refContent("a", ".m.0")), blob("a"), record("child:1", "a")},
			[]string{
				`child:1: keep: is part of "x:sha256-` + dig("a").Encoded() + `", which stays`,
				"x:sha256-" + dig("a").Encoded() + ": keep: not matched by filter reference=child",
			},
		},
		"a name that only looks like a signature's": {
			[]string{"reference=app"},
			[]thing{record("app:1", "a"), record("x:sha256-"+dig("a").Encoded()[:63], "s"), record("y:sha256-"+dig("a").Encoded()+".zip", "s")},
			[]string{
				"app:1: remove: unused",
				"x:sha256-" + dig("a").Encoded()[:63] + ": keep: not matched by filter reference=app",
				"y:sha256-" + dig("a").Encoded() + ".zip: keep: not matched by filter reference=app",
			},
		},
	} {
		t.Run(name, func(t *testing.T) { checkDecided(t, "default", all(c.set...), c.things, c.want) })
	}
}

// A signature has a name of its own, but dies with a dangling image.
func TestSignatureOfADanglingImage(t *testing.T) {
	things := []thing{record("<none>@"+dig("a").String(), "a"), blob("a"), record("s:1", "s"), blob("s", about("a"))}
	checkDecided(t, "default", onlyDangling(), things, []string{
		"<none>@«a»: remove: unused and dangling", `s:1: remove: belongs to "<none>@«a»", which goes`,
	})
}
