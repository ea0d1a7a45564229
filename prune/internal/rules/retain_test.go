package rules_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// kept is a policy file with these rules, and what comes before them.
func kept(rulesText, head string) *retention.Policy {
	return tw.Must(retention.Parse("policy", []byte("version: 1\n"+head+"rules: ["+rulesText+"]\n")))
}

const newest = `{name: newest, match: {names: ["**"]}, keep: {last: 1}}`

// aged is an image of its own, so many days old.
func aged(name, text string, days int, attrs ...tw.Attr) []tw.Thing {
	at := tw.Noon.AddDate(0, 0, -days)
	return []tw.Thing{
		tw.Record(name, text, append(attrs, tw.Created(at), tw.Updated(at))...), tw.Blob(text, tw.Created(at)),
	}
}

func TestRetention(t *testing.T) {
	a := tw.Digest("a").String()
	const repo = "x.io/a"
	for name, c := range map[string]struct {
		namespace string
		policy    *retention.Policy
		filters   filters.Set
		things    []tw.Thing
		want      []string
	}{
		"what is in use counts among the last": {
			"default", kept(newest, ""), tw.All(),
			tw.Join(aged(repo+":1", "a", 3), aged(repo+":2", "b", 2), []tw.Thing{tw.Container("web", repo+":2", "")}),
			[]string{repo + `:1: remove: unused, and not kept by rule "newest": 2nd newest of 2 in ` + repo, repo + ":2: keep: in use by container web"},
		},
		"so does what is pinned": {
			"default", kept(newest, ""), tw.All(),
			tw.Join(aged(repo+":1", "a", 3), aged(repo+":2", "b", 2, tw.Labelled(rules.LabelKeep, ""))),
			[]string{repo + `:1: remove: unused, and not kept by rule "newest": 2nd newest of 2 in ` + repo, repo + `:2: keep: pinned by label ctr-prune/keep on "` + repo + `:2"`},
		},
		"what has expired does not": {
			"default", kept(newest, ""), tw.All(),
			tw.Join(aged(repo+":1", "a", 3), aged(repo+":2", "b", 2, tw.Expiring(tw.Noon.Add(-time.Hour)))),
			[]string{
				repo + `:1: keep: kept by rule "newest": the newest of 1 in ` + repo,
				repo + ":2: remove: has expired, and nothing that is kept refers to it: the next garbage collection removes it",
			},
		},
		"filters narrow it down": {
			"default", kept(`{name: none, match: {names: ["**"]}, keep: none}`, ""), tw.All("reference!=x.io/a:1"),
			tw.Join(aged(repo+":1", "a", 3), aged(repo+":2", "b", 2)),
			[]string{repo + ":1: keep: filter reference!=x.io/a:1: it has the name x.io/a:1", repo + `:2: remove: unused, and not kept by rule "none"`},
		},
		"only dangling": {
			"default", kept(`{name: none, match: {names: ["**"]}, keep: none}`, ""), tw.OnlyDangling(),
			tw.Join(aged(repo+":1", "a", 3), aged("<none>@"+a, "a", 2)),
			[]string{"<none>@«a»: remove: unused, and not kept by rule \"none\"", repo + ":1: keep: not dangling"},
		},
		"the file without rules": {
			"default", tw.Must(retention.Parse("p", []byte("version: 1\n"))), tw.All(),
			tw.Join(aged(repo+":1", "a", 3), aged("<none>@"+a, "a", 2)),
			[]string{"<none>@«a»: keep: no rule of the policy matches it", repo + ":1: keep: no rule of the policy matches it"},
		},
		"a name in use by digest goes with a stand-in": {
			"default", kept(`{name: none, match: {names: ["**"]}, keep: none}`, ""), tw.All(),
			tw.Join(aged(repo+":1", "a", 3), []tw.Thing{tw.Container("web", a, "")}),
			[]string{repo + `:1: stand-in: the name is removed and replaced by "<none>@«a»", because its image is in use by container web`},
		},
		"in k8s.io each name has to go": {
			"k8s.io", kept(`{name: v, match: {names: ["x.io/a:1"]}, keep: none}`, ""), tw.All(),
			tw.Join(aged(repo+":1", "a", 3), []tw.Thing{tw.Record("x.io/b:1", "a"), tw.Record(repo+"@"+a, "a"), tw.Record(repo+":2", "b"), tw.Blob("b")}),
			[]string{
				repo + `:1: keep: CRI keeps the names of an image together, and "x.io/b:1" is kept: no rule of the policy matches it`,
				repo + `:2: keep: no rule of the policy matches it`, repo + "@«a»: keep: CRI keeps the names of an image together, and \"x.io/b:1\" is kept: no rule of the policy matches it", "x.io/b:1: keep: no rule of the policy matches it",
			},
		},
		"and an image goes with its ID and digest": {
			"k8s.io", kept(`{name: v, match: {names: ["x.io/*"], tags: ["*"]}, keep: {last: 1}}`, ""), tw.All(),
			tw.Join(aged(repo+":1", "a", 3), aged(repo+":2", "b", 2), []tw.Thing{tw.Record(repo+"@"+a, "a", tw.Created(tw.MonthAgo), tw.Updated(tw.MonthAgo))}),
			[]string{
				repo + `:1: remove: unused, and not kept by rule "v": 2nd newest of 2 in ` + repo, repo + `:2: keep: kept by rule "v": the newest of 2 in ` + repo,
				repo + `@«a»: remove: unused, and not kept by rule "v": 2nd newest of 2 in ` + repo,
			},
		},
		"an index and its manifest, which CRI shows as one image, count once": {
			"k8s.io", kept(`{name: v, match: {names: ["x.io/*"]}, keep: {last: 2}}`, ""), tw.All(),
			tw.Join(aged(repo+":0", "d", 60), []tw.Thing{
				tw.Record(repo+":1", "a"), tw.Record(repo+":2", "b"), tw.Record(tw.Digest("c").String(), "b"),
				tw.Blob("a", tw.RefContent("b", ".m.0")), tw.Blob("b", tw.RefContent("c", ".config")), tw.Blob("c"),
			}),
			[]string{
				`«c»: keep: is part of "x.io/a:1", which is kept`,
				repo + `:0: keep: kept by rule "v": 2nd newest of 2 in ` + repo, repo + `:1: keep: kept by rule "v": the newest of 2 in ` + repo,
				repo + `:2: keep: kept by rule "v": the newest of 2 in ` + repo,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			policy := rules.Policy{Namespaces: []string{c.namespace}, Filters: c.filters, Retention: c.policy}
			if diff := cmp.Diff(c.want, tw.Decided(t, tw.World{c.namespace: c.things}, policy)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Signatures live and die with their images, are not ranked among them, and stay
// by themselves only if the policy keeps them.
func TestRetentionOfSignatures(t *testing.T) {
	signature := "x.io/a:sha256-" + tw.Digest("a").Encoded() + ".sig"
	things := tw.Join(aged("x.io/a:1", "a", 3), aged("x.io/a:2", "b", 2), aged(signature, "c", 0))
	named := func(text string) string { return strings.ReplaceAll(text, "SIG", signature) }
	for name, c := range map[string]struct {
		policy *retention.Policy
		want   []string
	}{
		"not ranked": {kept(newest, ""), []string{
			`x.io/a:1: remove: unused, and not kept by rule "newest": 2nd newest of 2 in x.io/a`, `x.io/a:2: keep: kept by rule "newest": the newest of 2 in x.io/a`,
			`SIG: remove: unused, and not kept by rule "newest"`,
		}},
		"no rule matches it": {kept(`{name: a, match: {names: ["x.io/a:1"]}, keep: none}`, ""), []string{
			`x.io/a:1: remove: unused, and not kept by rule "a"`, `x.io/a:2: keep: no rule of the policy matches it`, `SIG: remove: belongs to "x.io/a:1", which is removed`,
		}},
		"kept with its image": {kept(`{name: sig, match: {tags: ["sha256-*"]}, keep: none}`, ""), []string{
			`x.io/a:1: keep: no rule of the policy matches it`, `x.io/a:2: keep: no rule of the policy matches it`, `SIG: keep: belongs to "x.io/a:1", which is kept`,
		}},
		"kept by a rule of its own": {kept(`{name: sig, match: {tags: ["sha256-*"]}, keep: all}, {name: rest, match: {names: ["**"]}, keep: none}`, ""), []string{
			`x.io/a:1: remove: unused, and not kept by rule "rest"`, `x.io/a:2: remove: unused, and not kept by rule "rest"`, `SIG: keep: kept by rule "sig"`,
		}},
		"too young": {kept(`{name: rest, match: {names: ["**"]}, keep: none}`, "minAge: 1d\n"), []string{
			`x.io/a:1: remove: unused, and not kept by rule "rest"`, `x.io/a:2: remove: unused, and not kept by rule "rest"`,
			`SIG: keep: younger than the policy's minAge 1d, from 2026-11-21T12:00:00Z`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got := tw.Decided(t, tw.World{"default": things}, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(), Retention: c.policy})
			want := make([]string, len(c.want))
			for i := range want {
				want[i] = tw.Legend(named(c.want[i]))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The labels of configs are read if a policy protects some.
func TestRetentionNeedsLabels(t *testing.T) {
	policy := rules.Policy{AllNamespaces: true, Filters: tw.All(), Retention: kept(newest, "protect: {labels: [keep]}\n")}
	if !policy.Scope().Labels {
		t.Error("labels are not asked for")
	}
	inv := tw.World{"default": aged("x.io/a:1", "a", 3)}.Inventory()
	inv.Scope = &inventory.Scope{AllNamespaces: true}
	if _, err := plan.NewPlan(inv, policy, tw.Noon); err == nil || !strings.Contains(err.Error(), "read the store with the scope of the policy") {
		t.Errorf("an inventory without labels: %v", err)
	}
}

// A run that removes more than the fuse allows is refused; the plan says what it
// would have removed, and the document why it is not.
func TestFuse(t *testing.T) {
	none := kept(`{name: none, match: {names: ["**"]}, keep: none}`, "fuse: {images: 50%}\n")
	inv := tw.World{"default": tw.Join(aged("x.io/a:1", "a", 3), aged("x.io/a:2", "b", 3), aged("x.io/a:3", "c", 3))}.Inventory()
	p := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(), Retention: none}, tw.Noon))
	const want = "this would remove 3 of 3 image records, and the policy's fuse allows 50% of them in one run"
	if p.Fuse == nil || p.Fuse.Error() != want || cause.CodeOf(p.Fuse) != cause.CodeFuse || p.Empty() {
		t.Errorf("the fuse: %v, empty %v", p.Fuse, p.Empty())
	}
	if notes := document.PlanDocument(p).Notes; len(notes) != 1 || notes[0].ReasonCode != cause.CodeFuse || notes[0].Reason != want {
		t.Errorf("notes %+v", notes)
	}
	narrow := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("reference=x.io/a:1"), Retention: none}, tw.Noon))
	if narrow.Fuse != nil {
		t.Errorf("one of three: %v", narrow.Fuse)
	}
}

// drawPolicy draws the rules of a policy for the names of random worlds.
func drawPolicy(t *rapid.T) string {
	keeps := []string{"all", "none", "{last: 1}", "{last: 2}", "{within: 40d}", "{last: 1, within: 1d}"}
	var all []string
	for i, match := range []string{`{names: [a, "<none>@*"]}`, `{names: ["example.com/*"], tags: ["*"]}`, `{dangling: true}`, `{names: ["**"]}`} {
		if rapid.Bool().Draw(t, match) {
			all = append(all, fmt.Sprintf("{name: r%d, match: %s, keep: %s}", i, match, rapid.SampledFrom(keeps).Draw(t, "keep")))
		}
	}
	return strings.Join(all, ", ")
}

// randomInventory draws a world and gives its things ages.
func randomInventory(t *rapid.T) *inventory.Inventory {
	w := tw.RandomWorld(t, tw.Shape{Spaces: []string{"default", "k8s.io", "other"}})
	for _, things := range w {
		for i := range things {
			at := tw.Noon.AddDate(0, 0, -rapid.IntRange(0, 50).Draw(t, "age"))
			things[i].Created, things[i].Updated = at, at
		}
	}
	return w.Inventory()
}

func goneBy(t tw.TB, inv *inventory.Inventory, r *retention.Policy) map[[2]string]bool {
	t.Helper()
	gone := make(map[[2]string]bool)
	p := tw.Must(plan.NewPlan(inv, rules.Policy{AllNamespaces: true, Filters: tw.All(), Retention: r}, tw.Noon))
	tw.CheckDecisions(t, p)
	for _, d := range p.Decisions {
		gone[d.Key()] = d.Gone()
	}
	return gone
}

// A policy removes nothing that --all would keep, and one without rules nothing
// at all but what has expired; images of k8s.io go whole or not at all.
func TestRetentionOnlyNarrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		inv := randomInventory(t)
		text := drawPolicy(t)
		all, some, none := goneBy(t, inv, nil), goneBy(t, inv, kept(text, "")), goneBy(t, inv, &retention.Policy{})
		for key, gone := range some {
			if gone && !all[key] && !guesses(inv.Namespace(key[0])) && !keepsAlive(inv, key) {
				t.Errorf("%s in %s goes by %s, and stays without", key[1], key[0], text)
			}
			if none[key] && !expires(inv, key) {
				t.Errorf("%s in %s goes without a rule", key[1], key[0])
			}
		}
		for _, ns := range inv.Namespaces {
			if ns.Name == store.CRINamespace {
				checkWhole(t, ns, some)
			}
		}
	})
}

// guesses says whether a namespace may have a container of which it is only known
// that it uses one of several images: where one of them stays by a rule, the others
// are not needed any more.
func guesses(ns *inventory.Namespace) bool { return len(ns.Containers) > 0 }

// keepsAlive says whether a record stays, without a rule, because another one that
// expires exists only as long as it does: where a third, which keeps that alive as well,
// stays by a rule, it is not needed any more.
func keepsAlive(inv *inventory.Inventory, key [2]string) bool {
	p := tw.Must(plan.NewPlan(inv, rules.Policy{AllNamespaces: true, Filters: tw.All()}, tw.Noon))
	for _, d := range p.Decisions {
		if d.Key() != key {
			continue
		}
		why := &d.Cause
		for why.ReasonCode == cause.CodeTogether && why.ReasonParts.Because != nil {
			why = why.ReasonParts.Because
		}
		return why.ReasonCode == cause.CodeKeepsAlive
	}
	return false
}

func expires(inv *inventory.Inventory, key [2]string) bool {
	for _, image := range inv.Namespace(key[0]).Images {
		if image.Name == key[1] {
			return image.Labels["containerd.io/gc.expire"] != ""
		}
	}
	return false
}

// checkWhole checks that the records of a target go together, unless they go by
// themselves.
func checkWhole(t *rapid.T, ns *inventory.Namespace, gone map[[2]string]bool) {
	byTarget := make(map[string]bool)
	for _, image := range ns.Images {
		if image.Labels["containerd.io/gc.expire"] != "" {
			continue
		}
		target := image.Target.Digest.String()
		goes := gone[[2]string{ns.Name, image.Name}]
		if other, seen := byTarget[target]; seen && other != goes {
			t.Errorf("%s in k8s.io: some of its names go", tw.Legend(target))
		}
		byTarget[target] = goes
	}
}

// What a plan was made by is in its document, as a policy file.
func TestRetentionInAPlan(t *testing.T) {
	inv := tw.World{"default": aged("x.io/a:1", "a", 3)}.Inventory()
	p := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(), Retention: kept(newest, "minAge: 10m\n")}, tw.Noon))
	var doc struct {
		Policy struct {
			Retention json.RawMessage `json:"retention"`
		} `json:"policy"`
	}
	if err := json.Unmarshal(tw.Must(json.Marshal(document.PlanDocument(p))), &doc); err != nil {
		t.Fatal(err)
	}
	const want = `{"version":1,"minAge":"10m","rules":[{"name":"newest","match":{"names":["**"]},"keep":{"last":1}}]}`
	if diff := cmp.Diff(want, string(doc.Policy.Retention)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	tw.Must(retention.Parse("again", doc.Policy.Retention))
}
