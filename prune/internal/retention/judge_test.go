package retention_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func days(n int) time.Time { return tw.Noon.AddDate(0, 0, -n) }

// named is a record of its own image, so many days old.
func named(name string, unit, age int) retention.Record {
	return retention.Record{Name: name, Unit: unit, Born: days(age)}
}

func judged(t *testing.T, policy string, ns retention.Namespace) []string {
	t.Helper()
	p, err := retention.Parse("policy", []byte("version: 1\n"+policy))
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for i, v := range p.Judge(ns, tw.Noon) {
		what := "goes"
		if v.Keep {
			what = "stays"
		}
		lines = append(lines, fmt.Sprintf("%s %s: %s", ns.Records[i].Name, what, v.Reason))
	}
	return lines
}

const api = "ghcr.io/acme/api"

func TestJudge(t *testing.T) {
	d := tw.Digest("a").String()
	labelled := named(api+":1", 1, 9)
	labelled.Labels = []map[string]string{{"keep": "yes"}}
	bare := named(api+":1", 1, 9)
	bare.Labels = []map[string]string{{}}
	unknown := retention.Record{Name: api + ":x", Unit: 9}
	signature := named(api+":sha256-"+tw.Digest("a").Encoded()+".sig", 5, 0)
	signature.About = true
	dangling := retention.Record{Name: "<none>@" + d, Unit: 6, Born: days(40), Nameless: true, Dangling: true}
	used := func(since int, last time.Time) retention.Use {
		return retention.Use{Since: days(since), Last: func(int) time.Time { return last }}
	}
	const everything = `rules: [{name: a, match: {names: ["**"]}, keep: `
	for name, c := range map[string]struct {
		policy string
		ns     retention.Namespace
		want   []string
	}{
		"no rules": {"", retention.Namespace{Records: []retention.Record{named(api+":1", 1, 9)}}, []string{api + ":1 stays: no rule of the policy matches it"}},
		"all":      {everything + "all}]", retention.Namespace{Records: []retention.Record{named("a:1", 1, 9)}}, []string{`a:1 stays: kept by rule "a"`}},
		"none":     {everything + "none}]", retention.Namespace{Records: []retention.Record{named("a:1", 1, 9)}}, []string{`a:1 goes: unused, and not kept by rule "a"`}},
		"protected by name": {
			"protect: {names: [\"ghcr.io/acme/*\"]}\n" + everything + "none}]", retention.Namespace{Records: []retention.Record{named(api+":1", 1, 9), named("b:1", 2, 9)}},
			[]string{api + ":1 stays: protected by the policy's pattern ghcr.io/acme/*", `b:1 goes: unused, and not kept by rule "a"`},
		},
		"protected by label": {
			"protect: {labels: [keep]}\n" + everything + "none}]", retention.Namespace{Records: []retention.Record{labelled, bare, named("b:1", 2, 9)}},
			[]string{
				api + ":1 stays: protected by the policy: its config has the label keep=yes", api + `:1 goes: unused, and not kept by rule "a"`,
				"b:1 stays: the policy protects labels, and those of its config cannot be read: no image config of it can be read",
			},
		},
		"minAge": {
			"minAge: 3d\n" + everything + "none}]", retention.Namespace{Records: []retention.Record{named("a:1", 1, 2), named("a:2", 2, 3), named("a:3", 3, -1), unknown}},
			[]string{
				"a:1 stays: younger than the policy's minAge 3d, from 2026-11-19T12:00:00Z", `a:2 goes: unused, and not kept by rule "a"`,
				"a:3 stays: younger than the policy's minAge 3d, from 2026-11-22T12:00:00Z", api + ":x stays: its age cannot be read, and the policy's minAge is 3d",
			},
		},
		"last": {
			everything + "{last: 2}}]", retention.Namespace{Records: []retention.Record{
				named(api+":1", 1, 9), named(api+":2", 2, 8), named(api+":3", 3, 7), named("ghcr.io/acme/web:1", 4, 20), unknown,
			}},
			[]string{
				api + `:1 goes: unused, and not kept by rule "a": 3rd newest of 3 in ` + api, api + `:2 stays: kept by rule "a": 2nd newest of 3 in ` + api,
				api + `:3 stays: kept by rule "a": the newest of 3 in ` + api, `ghcr.io/acme/web:1 stays: kept by rule "a": the newest of 1 in ghcr.io/acme/web`,
				api + `:x stays: kept by rule "a": its age cannot be read`,
			},
		},
		"last counts targets, not names": {
			everything + "{last: 2}}]", retention.Namespace{Records: []retention.Record{
				named(api+":1", 1, 9), named(api+":2", 2, 8), named(api+":latest", 2, 7), named(api+":old", 3, 30),
			}},
			[]string{
				api + `:1 stays: kept by rule "a": 2nd newest of 3 in ` + api, api + `:2 stays: kept by rule "a": the newest of 3 in ` + api,
				api + `:latest stays: kept by rule "a": the newest of 3 in ` + api, api + `:old goes: unused, and not kept by rule "a": 3rd newest of 3 in ` + api,
			},
		},
		"ties stay, and a time in the future is newest": {
			everything + "{last: 1}}]", retention.Namespace{Records: []retention.Record{named(api+":1", 1, -3), named(api+":2", 2, -9), named(api+":3", 3, 0), named(api+":4", 4, 1)}},
			[]string{
				api + `:1 stays: kept by rule "a": the newest of 4 in ` + api, api + `:2 stays: kept by rule "a": the newest of 4 in ` + api,
				api + `:3 stays: kept by rule "a": the newest of 4 in ` + api, api + `:4 goes: unused, and not kept by rule "a": 4th newest of 4 in ` + api,
			},
		},
		"what is about another image is not ranked, nor what has no repository": {
			everything + "{last: 1}}]", retention.Namespace{Records: []retention.Record{signature, named(api+":1", 1, 9), dangling}},
			[]string{
				signature.Name + ` goes: unused, and not kept by rule "a"`, api + `:1 stays: kept by rule "a": the newest of 1 in ` + api,
				dangling.Name + ` goes: unused, and not kept by rule "a"`,
			},
		},
		"within": {
			everything + "{last: 1, within: 5d}}]", retention.Namespace{Records: []retention.Record{named(api+":1", 1, 5), named(api+":2", 2, 4), named(api+":3", 3, 1)}},
			[]string{
				api + `:1 goes: unused, and not kept by rule "a": 3rd newest of 3 in ` + api, api + `:2 stays: kept by rule "a": younger than 5d, from 2026-11-17T12:00:00Z`,
				api + `:3 stays: kept by rule "a": the newest of 3 in ` + api,
			},
		},
		"usedWithin, and nobody watches": {
			everything + "{usedWithin: 2d}}]", retention.Namespace{Records: []retention.Record{named("a:1", 1, 99)}},
			[]string{`a:1 stays: kept by rule "a": use within 2d cannot be excluded, because use is not watched`},
		},
		"usedWithin, watched since yesterday": {
			everything + "{usedWithin: 2d}}]", retention.Namespace{Records: []retention.Record{named("a:1", 1, 99)}, Use: used(1, time.Time{})},
			[]string{`a:1 stays: kept by rule "a": use within 2d cannot be excluded, because use is watched only since 2026-11-20T12:00:00Z`},
		},
		"usedWithin, watched for long": {
			everything + "{usedWithin: 2d}}]", retention.Namespace{Records: []retention.Record{named("a:1", 1, 99)}, Use: used(30, days(1))},
			[]string{`a:1 stays: kept by rule "a": used within 2d, last 2026-11-20T12:00:00Z`},
		},
		"usedWithin, not used for long": {
			everything + "{usedWithin: 2d}}]", retention.Namespace{Records: []retention.Record{named("a:1", 1, 99)}, Use: used(30, days(2))},
			[]string{`a:1 goes: unused, and not kept by rule "a"`},
		},
		"the first rule that matches decides": {
			`rules:
- {name: other, match: {namespaces: ["ci-*"], names: ["**"]}, keep: all}
- {name: tags, match: {names: ["ghcr.io/**"], tags: ["v*"]}, keep: all}
- {name: dangling, match: {dangling: true}, keep: none}
- {name: rest, match: {names: ["ghcr.io/**"]}, keep: none}`,
			retention.Namespace{Name: "default", Records: []retention.Record{named(api+":v1", 1, 9), named(api+":1", 2, 9), named(api+"@"+d, 3, 9), dangling, named("a:1", 4, 9)}},
			[]string{
				api + `:v1 stays: kept by rule "tags"`, api + `:1 goes: unused, and not kept by rule "rest"`, api + "@" + d + ` goes: unused, and not kept by rule "rest"`,
				dangling.Name + ` goes: unused, and not kept by rule "dangling"`, "a:1 stays: no rule of the policy matches it",
			},
		},
		"where images go whole, only the typed names decide": {
			`rules:
- {name: releases, match: {names: ["ghcr.io/acme/*"], tags: ["v*"]}, keep: {last: 1}}
- {name: rest, match: {names: ["**"]}, keep: all}`,
			retention.Namespace{Name: "k8s.io", Whole: true, Records: []retention.Record{
				named(api+":v1", 1, 9), named(api+"@"+d, 1, 9), named(d, 1, 9), named(api+":v2", 2, 8), named(api+"@"+tw.Digest("b").String(), 2, 8),
				named(tw.Digest("c").String(), 3, 9),
			}},
			[]string{
				api + `:v1 goes: unused, and not kept by rule "releases": 2nd newest of 2 in ` + api, api + "@" + d + ` goes: unused, and not kept by rule "releases": 2nd newest of 2 in ` + api,
				d + ` goes: unused, and not kept by rule "releases": 2nd newest of 2 in ` + api, api + `:v2 stays: kept by rule "releases": the newest of 2 in ` + api,
				api + "@" + tw.Digest("b").String() + ` goes: kept by rule "releases": the newest of 2 in ` + api, tw.Digest("c").String() + ` stays: kept by rule "rest"`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, judged(t, c.policy, c.ns)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTry(t *testing.T) {
	p := tw.Must(retention.Parse("policy", []byte(`version: 1
protect: {names: [registry.k8s.io/*]}
rules:
- {name: a, match: {names: [a]}, keep: all}
- {name: b, match: {names: [b]}, keep: none}
- {name: c, match: {names: [c]}, keep: {last: 2, within: 3d, usedWithin: 2w}}
- {name: d, match: {dangling: true}, keep: {last: 1}}`)))
	for name, want := range map[string]string{
		"registry.k8s.io/pause:3.9": " keep: protected by the policy's pattern registry.k8s.io/*", "a:1": `a keep: kept by rule "a"`,
		"b": `b remove: unused, and not kept by rule "b"`, "x": " keep: no rule of the policy matches it",
		"c:1":   `c depends: rule "c" keeps the 2 newest of its repository and what is younger than 3d and what was used within 2w`,
		"<none": " keep: no rule of the policy matches it", "dangling": `d remove: unused, and not kept by rule "d"`,
	} {
		tried := p.Try("default", name, name == "dangling")
		if got := fmt.Sprintf("%s %s: %s", tried.Rule, tried.Outcome, tried.Reason); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestFuse(t *testing.T) {
	for _, c := range []struct {
		fuse       retention.Fuse
		going, all int
		blown      bool
	}{
		{retention.Fuse{}, 9, 9, false},
		{retention.Fuse{Images: 60}, 6, 10, false},
		{retention.Fuse{Images: 60}, 7, 10, true},
		{retention.Fuse{Images: 100}, 10, 10, false},
		{retention.Fuse{Count: 5}, 5, 10, false},
		{retention.Fuse{Count: 5}, 6, 10, true},
		{retention.Fuse{Images: 1, Count: 5}, 0, 0, false},
	} {
		if got := c.fuse.Blown(c.going, c.all); (got != "") != c.blown {
			t.Errorf("%+v, %d of %d: %q", c.fuse, c.going, c.all, got)
		}
	}
}

// drawRules draws the text of rules that are not all alike.
func drawRules(t *rapid.T) []string {
	matches := []string{`{names: ["a/*"]}`, `{names: ["**/x"]}`, `{tags: ["v*"]}`, `{dangling: true}`, `{names: ["b/*", "a/y"]}`, `{namespaces: [n], names: ["**/*:1"]}`}
	chosen := rapid.Permutation(matches).Draw(t, "matches")[:rapid.IntRange(1, len(matches)).Draw(t, "n")]
	return append(slices.Clone(chosen), `{names: ["**"]}`)
}

// keeps are conditions, each of which keeps all that the one before it keeps.
var keeps = []string{
	"none", "{last: 1}", "{last: 2}", "{last: 2, within: 1d}", "{last: 2, within: 3d}", "{last: 3, within: 3d}", "{last: 3, within: 3d, usedWithin: 1d}",
	"{last: 3, within: 3d, usedWithin: 4d}", "all",
}

func policyOf(t *rapid.T, matches []string, keep []int, head string) *retention.Policy {
	text := "version: 1\n" + head + "rules:\n"
	for i, match := range matches {
		text += fmt.Sprintf("- {name: r%d, match: %s, keep: %s}\n", i, match, keeps[keep[i]])
	}
	p, err := retention.Parse("p", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func drawNamespace(t *rapid.T) retention.Namespace {
	ns := retention.Namespace{Name: "n", Whole: rapid.Bool().Draw(t, "whole")}
	names := []string{"a/x:1", "a/x:2", "a/x:v1", "a/x:v2", "a/x:v3", "a/y:1", "a/y:v2", "b/x:1", "b/x:2", "Odd:1", tw.Digest("a").String(), "a/x@" + tw.Digest("b").String()}
	for _, name := range rapid.Permutation(names).Draw(t, "names")[:rapid.IntRange(1, len(names)).Draw(t, "records")] {
		r := named(name, rapid.IntRange(0, 6).Draw(t, "unit"), rapid.IntRange(-1, 5).Draw(t, "age"))
		if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
			r.Born = time.Time{}
		}
		r.About = rapid.IntRange(0, 9).Draw(t, "about") == 0
		ns.Records = append(ns.Records, r)
	}
	if rapid.Bool().Draw(t, "watched") {
		last := rapid.SliceOfN(rapid.IntRange(0, 6), 7, 7).Draw(t, "used")
		ns.Use = retention.Use{Since: days(rapid.IntRange(0, 6).Draw(t, "since")), Last: func(unit int) time.Time { return days(last[unit]) }}
	}
	return ns
}

func drawKeeps(t *rapid.T, n int) []int {
	return rapid.SliceOfN(rapid.IntRange(0, len(keeps)-1), n, n).Draw(t, "keep")
}

func staying(p *retention.Policy, ns retention.Namespace) map[string]bool {
	stay := make(map[string]bool)
	for i, v := range p.Judge(ns, tw.Noon) {
		stay[ns.Records[i].Name] = v.Keep
	}
	return stay
}

// More to keep, or to protect, never removes more.
func TestMoreKeepRemovesNoMore(t *testing.T) {
	heads := []string{"", "minAge: 1d\n", "minAge: 2d\n", "minAge: 2d\nprotect: {names: [b/x]}\n"}
	rapid.Check(t, func(t *rapid.T) {
		matches, ns := drawRules(t), drawNamespace(t)
		less := drawKeeps(t, len(matches))
		more := slices.Clone(less)
		for i := range more {
			more[i] += rapid.IntRange(0, len(keeps)-1-more[i]).Draw(t, "more")
		}
		head := rapid.IntRange(0, len(heads)-1).Draw(t, "head")
		after := staying(policyOf(t, matches, more, heads[rapid.IntRange(head, len(heads)-1).Draw(t, "more head")]), ns)
		for name, stays := range staying(policyOf(t, matches, less, heads[head]), ns) {
			if stays && !after[name] {
				t.Errorf("%s stays, and goes when more is kept", name)
			}
		}
	})
}

// The order of records does not matter, neither do the numbers of units.
func TestOrderOfRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		matches, ns := drawRules(t), drawNamespace(t)
		p := policyOf(t, matches, drawKeeps(t, len(matches)), "")
		other := ns
		other.Records = slices.Clone(ns.Records)
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(other.Records), func(i, j int) { other.Records[i], other.Records[j] = other.Records[j], other.Records[i] })
		if diff := cmp.Diff(staying(p, ns), staying(p, other)); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
}

// Each repository keeps as many images as a rule says, or all; with ties more.
// What goes is older than what stays.
func TestLastKeepsTheNewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ns := drawNamespace(t)
		ns.Whole = false
		last := rapid.IntRange(1, 3).Draw(t, "last")
		p := tw.Must(retention.Parse("p", fmt.Appendf(nil, "version: 1\nrules: [{name: a, match: {names: [\"a/x:*\"]}, keep: {last: %d}}]", last)))
		born, stays := make(map[int]time.Time), make(map[int]bool)
		for i, v := range p.Judge(ns, tw.Noon) {
			r := ns.Records[i]
			if !strings.HasPrefix(r.Name, "a/x:") || r.About || r.Born.IsZero() {
				continue
			}
			if r.Born.After(tw.Noon) {
				r.Born = tw.Noon
			}
			if r.Born.After(born[r.Unit]) {
				born[r.Unit] = r.Born
			}
			stays[r.Unit] = stays[r.Unit] || v.Keep
		}
		kept := 0
		for unit, stay := range stays {
			newer := 0
			for other := range born {
				if born[other].After(born[unit]) {
					newer++
				}
			}
			if stay != (newer < last) {
				t.Errorf("unit %d, with %d newer, stays: %v", unit, newer, stay)
			}
			if stay {
				kept++
			}
		}
		if kept < min(last, len(stays)) {
			t.Errorf("%d of %d stay", kept, len(stays))
		}
	})
}
