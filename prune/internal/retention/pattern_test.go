package retention

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPatterns(t *testing.T) {
	const digest = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, c := range []struct {
		pattern  string
		matching string // names, with spaces between them
		other    string
	}{
		{"nginx", "docker.io/library/nginx:1 docker.io/library/nginx docker.io/library/nginx" + digest, "docker.io/library/nginx2:1 docker.io/x/nginx:1 quay.io/nginx:1"},
		{"nginx:1.*", "docker.io/library/nginx:1.27 docker.io/library/nginx:1.27" + digest, "docker.io/library/nginx:2 docker.io/library/nginx"},
		{"docker.io/nginx", "docker.io/library/nginx:latest docker.io/library/nginx:1", "docker.io/x/nginx:1"},
		{"ghcr.io/acme/*", "ghcr.io/acme/api:1 ghcr.io/acme/api" + digest, "ghcr.io/acme/api/web:1 ghcr.io/acme2/api:1 ghcr.io/acme"},
		{"ghcr.io/acme/**", "ghcr.io/acme/api:1 ghcr.io/acme/api/web:1", "ghcr.io/acme2/api:1"},
		{"ghcr.io/**/web", "ghcr.io/web:1 ghcr.io/acme/web:1 ghcr.io/a/b/web:1", "ghcr.io/acme/web2:1 ghcr.io/acme/web/x:1"},
		{"**/api-*:v*", "x.io/a/api-1:v2 api-1:v3", "x.io/a/api:v2 x.io/a/api-1:w"},
		{"registry.k8s.io/pause:*", "registry.k8s.io/pause:3.9 registry.k8s.io/pause:3.9" + digest, "registry.k8s.io/pause" + digest},
		{"*/ctr-prune:*", "acme/ctr-prune:1 docker.io/acme/ctr-prune:1", "ghcr.io/acme/ctr-prune:1"},
		{"**", "x.io/a/b:1 nginx " + digest[1:] + " <none>" + digest, ""},
		{"*", "docker.io/library/nginx:1", "x.io/a:1 " + digest[1:] + " <none>" + digest},
		{"sha256:a*", digest[1:], "x.io/a:1"},
		{"<none>@*", "<none>" + digest, "moby-dangling" + digest},
		{"Odd*", "Odd:1", "odd:1"},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var x index
		x.add(0, &p)
		for want, names := range map[bool]string{true: c.matching, false: c.other} {
			for _, stored := range strings.Fields(names) {
				n := readName(stored, strings.HasPrefix(stored, "<none>") || strings.HasPrefix(stored, "moby"))
				if _, got := x.first(n, func(int) bool { return true }); got != want {
					t.Errorf("%s matches %s: %v", c.pattern, stored, got)
				}
			}
		}
	}
}

func TestRepositories(t *testing.T) {
	const digest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for stored, want := range map[string]string{
		"nginx": "docker.io/library/nginx", "x.io:5000/a/b:v1": "x.io:5000/a/b", "x.io/a@" + digest: "x.io/a", "x.io/a:1@" + digest: "x.io/a",
		digest: "", "Odd/Name:1": "Odd/Name", "Odd:5/x": "Odd:5/x", "Odd@" + digest: "Odd", ":1": ":1",
	} {
		if got := readName(stored, false).repository; got != want {
			t.Errorf("%s is of %q, want %q", stored, got, want)
		}
	}
	if got := readName("overlayfs@"+digest, true).repository; got != "" {
		t.Errorf("a dangling name is of %q", got)
	}
}

// What covers a plain reference has to match also its full form, which is what
// that matches.
func TestCoversTheFullForm(t *testing.T) {
	pattern := func(glob string) Pattern {
		p, err := ParsePattern(glob)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if pattern("docker.io/*").covers(pattern("docker.io/nginx")) {
		t.Error("docker.io/* covers docker.io/nginx, which means docker.io/library/nginx")
	}
	if !pattern("docker.io/**").covers(pattern("docker.io/nginx")) {
		t.Error("docker.io/** does not cover docker.io/nginx")
	}
}

// naive is the meaning of a pattern without any cleverness.
func naive(glob, text string) bool {
	switch {
	case glob == "":
		return text == ""
	case glob == "**":
		return true
	case strings.HasPrefix(glob, "**/"):
		for at := 0; ; at++ {
			if naive(glob[3:], text[at:]) {
				return true
			}
			next := strings.IndexByte(text[at:], '/')
			if next < 0 {
				return false
			}
			at += next
		}
	case glob[0] == '*':
		return naive(glob[1:], text) || text != "" && text[0] != '/' && naive(glob, text[1:])
	default:
		return text != "" && glob[0] == text[0] && naive(glob[1:], text[1:])
	}
}

func drawPattern(t *rapid.T) Pattern {
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{"**", "*", "a", "b", "a*", "*b", "a*b*"}), 1, 4).Draw(t, "parts")
	p, err := ParsePattern(strings.Join(parts, "/"))
	if err != nil {
		t.Fatal(err)
	}
	p.exact = ""
	return p
}

// A pattern matches what its plain definition does, and what covers another
// matches all that the other does.
func TestPatternsByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, other := drawPattern(t), drawPattern(t)
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "ab", "aab", "abb", "c"}), 1, 4).Draw(t, "text"), "/")
		if got, want := p.matches(text), naive(p.glob, text); got != want {
			t.Errorf("%s matches %s: %v", p, text, got)
		}
		if p.covers(other) && other.matches(text) && !p.matches(text) {
			t.Errorf("%s covers %s, which alone matches %s", p, other, text)
		}
		if !p.covers(p) {
			t.Errorf("%s does not cover itself", p)
		}
	})
}

// An index finds what looking at all patterns finds.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		patterns := make([]Pattern, rapid.IntRange(1, 6).Draw(t, "n"))
		var x index
		for i := range patterns {
			patterns[i] = drawPattern(t)
			x.add(i, &patterns[i])
		}
		n := name{forms: []string{rapid.StringMatching(`[ab]{1,3}(/[ab]{1,3}){0,2}`).Draw(t, "form"), "a"}, repository: "r"}
		want := -1
		for i := len(patterns) - 1; i >= 0; i-- {
			if patterns[i].matches(n.forms[0]) || patterns[i].matches(n.forms[1]) {
				want = i
			}
		}
		got, ok := x.first(n, func(int) bool { return true })
		if ok != (want >= 0) || ok && got.number != want {
			t.Errorf("found %v %v, want %d", got, ok, want)
		}
	})
}
