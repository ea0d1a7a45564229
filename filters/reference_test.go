package filters

import (
	"strings"
	"testing"
)

const hex = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestReference(t *testing.T) {
	nginx := "docker.io/library/nginx:1.27"
	for _, c := range []struct {
		name, glob string
		want       bool
	}{
		// the familiar name, with and without tag
		{nginx, "nginx", true},
		{nginx, "nginx:1.27", true},
		{nginx, "nginx:*", true},
		{nginx, "ngin?", true},
		{nginx, "n[fg]inx:1.2[0-9]", true},
		{nginx, "*", true},
		{nginx, "nginx:1.2", false},
		{nginx, "NGINX", false},
		{nginx, "*/*", false}, // * does not cross a slash, and the familiar name has none
		// the full name
		{nginx, "docker.io/library/nginx", true},
		{nginx, "docker.io/library/nginx:1.27", true},
		{nginx, "docker.io/library/*", true},
		{nginx, "docker.io/*/nginx:*", true},
		{nginx, "*/*/*", true},
		{nginx, "library/nginx", true},
		{nginx, "docker.io/*", false},
		// a plain reference is completed
		{nginx, "docker.io/nginx", true},
		{nginx, "docker.io/nginx:1.27", true},
		{nginx, "index.docker.io/library/nginx", true},
		{nginx, "docker.io/nginx:1.2", false},
		{nginx, "docker.io/nginx:latest", false},
		// other registries
		{"ghcr.io/org/app:v1", "ghcr.io/org/app", true},
		{"ghcr.io/org/app:v1", "ghcr.io/*/*", true},
		{"ghcr.io/org/app:v1", "ghcr.io/*", false},
		{"ghcr.io/org/app:v1", "app", false},
		{"ghcr.io/org/app:v1", "*", false},
		{"localhost:5000/app:v1", "localhost:5000/app", true},
		{"[::1]:5000/app:v1", "[::1]:5000/app:v1", true},
		// digests
		{"nginx@sha256:" + hex, "nginx", true},
		{"nginx@sha256:" + hex, "nginx@sha256:0123*", true},
		{"nginx@sha512:" + hex + hex, "docker.io/library/nginx", true},
		{"nginx:1@sha256:" + hex, "nginx:1", true},
		{"nginx:1@sha256:" + hex, "docker.io/library/nginx:1", true},
		{"nginx:1@sha256:" + hex, "nginx:2", false},
		{"overlayfs@sha256:" + hex, "overlayfs@*", true},
		// the name as stored
		{"nginx:1", "nginx:1", true},
		{"nginx:1", "docker.io/library/nginx:1", true},
		{"docker.io/nginx:1", "docker.io/nginx*", true},
		{"index.docker.io/library/nginx:1", "index.docker.io/*/nginx:1", true},
		// names that are no references
		{"<none>@sha256:" + hex, "<none>@*", true},
		{"My Image", "My*", true},
		{"My Image", "my*", false},
		{"", "*", true},
		{"a\nb", "a?b", true},
		{"\xff", "?", true},
		// IDs
		{"sha256:" + hex, "*", false},
		{"sha256:" + hex, "sha*", false},
		{"sha256:" + hex, "sha256", false},
		{"sha256:" + hex, "sha256:0123*", true},
		{"sha256:" + hex, "sha256:" + hex, true},
		{hex, "*", false},
		{hex, "sha256:0123*", true},
	} {
		sub := Subject{Names: []string{c.name}}
		if got := mustParse(t, "dangling=false", "reference="+c.glob).Match(sub, now); got.Match != c.want {
			t.Errorf("name %q, reference=%s: match %v, want %v", c.name, c.glob, got.Match, c.want)
		}
		got := mustParse(t, "dangling=false", "reference!="+c.glob).Match(sub, now)
		if c.want && got.Match {
			t.Errorf("name %q is not protected by reference!=%s", c.name, c.glob)
		}
		_, id := formsOf(c.name)
		if !c.want && id == "" && !got.Match {
			t.Errorf("name %q is protected by reference!=%s", c.name, c.glob)
		}
	}
}

func TestReferenceOfUnit(t *testing.T) {
	cri := []string{"registry.k8s.io/pause:3.10", "registry.k8s.io/pause@sha256:" + hex, "sha256:" + hex}
	twice := append([]string{"mirror.local/pause:3.10"}, cri...)
	untyped := []string{"<none>@sha256:" + hex, "mirror.local/pause@sha256:" + hex, "sha256:" + hex}
	pinned := []string{"mirror.local/pause:3.10@sha256:" + hex, "registry.k8s.io/pause@sha256:" + hex}
	for _, c := range []struct {
		names  []string
		filter string
		reason string
	}{
		{cri, "reference=registry.k8s.io/*", ""},
		{cri, "reference=registry.k8s.io/pause:3.10", ""},
		{cri, "reference=registry.k8s.io/pause:3.9", "not matched by filter reference=registry.k8s.io/pause:3.9"},
		{cri, "reference=*", "not matched by filter reference=*"},
		// a pattern for the digest does not choose the tag
		{cri, "reference=sha256:*", "filter reference=sha256:*: it also has the name registry.k8s.io/pause:3.10"},
		// every tag has to be chosen
		{twice, "reference=registry.k8s.io/*", "filter reference=registry.k8s.io/*: it also has the name mirror.local/pause:3.10"},
		{twice, "reference=mirror.local/*", "filter reference=mirror.local/*: it also has the name registry.k8s.io/pause:3.10"},
		{twice, "reference=*/pause", ""},
		// repo:tag@digest is somebody's choice of a tag
		{pinned, "reference=registry.k8s.io/*", "filter reference=registry.k8s.io/*: it also has the name mirror.local/pause:3.10@sha256:" + hex},
		{pinned, "reference=mirror.local/*", ""},
		// no tag at all: any name
		{untyped, "reference=mirror.local/*", ""},
		{untyped, "reference=<none>@*", ""},
		{untyped, "reference=sha256:*", ""},
		{untyped, "reference=nginx", "not matched by filter reference=nginx"},
		// one name is enough to stay
		{twice, "reference!=nginx", ""},
		{twice, "reference!=mirror.local/*", "filter reference!=mirror.local/*: it has the name mirror.local/pause:3.10"},
		{cri, "reference!=*", "filter reference!=*: it has the name sha256:" + hex},
		{nil, "reference=*", "not matched by filter reference=*"},
		{nil, "reference!=*", ""},
	} {
		checkVerdict(t, mustParse(t, "dangling=0", c.filter).Match(Subject{Names: c.names}, now), c.reason)
	}
}

// Parse refuses bad patterns; should one get through, it must not let go.
func TestBadPatternProtects(t *testing.T) {
	if (pattern{globs: []glob{{text: "["}}}).matches("a") || !(pattern{globs: []glob{{text: "["}}, not: true}).matches("a") {
		t.Error("a bad pattern does not keep")
	}
}

func TestHostileNames(t *testing.T) {
	for name, want := range map[string]string{
		"\x1b[2J":                        `filter reference!=*: it has the name "\x1b[2J"`,
		"a\nb":                           `filter reference!=*: it has the name "a\nb"`,
		"\u202egnp":                      `filter reference!=*: it has the name "\u202egnp"`,
		"\xff\xfe":                       `filter reference!=*: it has the name "\xff\xfe"`,
		"":                               `filter reference!=*: it has the name ""`,
		strings.Repeat("é", 10000):       `filter reference!=*: it has the name "` + strings.Repeat("é", 100) + `"…`,
		"x" + strings.Repeat("é", 10000): `filter reference!=*: it has the name "x` + strings.Repeat("é", 99) + `"…`,
	} {
		checkVerdict(t, mustParse(t, "reference!=*").Match(Subject{Names: []string{name}, Dangling: true}, now), want)
	}
	got := mustParse(t, "reference=\x1b\u202e*").Match(Subject{Names: []string{"a"}, Dangling: true}, now)
	checkVerdict(t, got, `not matched by filter "reference=\x1b\u202e*"`)
}

// Of several patterns with commas between them one has to match; each name that
// a person gave has to match one.
func TestAlternatives(t *testing.T) {
	for _, c := range []struct {
		glob  string
		names string
		want  bool
	}{
		{"nginx,redis", "docker.io/library/redis:7", true},
		{"nginx,redis", "docker.io/library/nginx:1 docker.io/library/redis:7", true},
		{"nginx,redis", "docker.io/library/nginx:1 docker.io/library/mysql:9", false},
		{"nginx,redis", "docker.io/library/mysql:9", false},
		{"n[g,x]inx,mysql", "docker.io/library/nginx:1", true},
		{"n[g,x]inx,mysql", "docker.io/library/mysql:1", true},
		{`a\,b,c`, "a,b", true},
		{`a\,b,c`, "b", false},
	} {
		sub := Subject{Names: strings.Fields(c.names)}
		if got := mustParse(t, "dangling=false", "reference="+c.glob).Match(sub, now); got.Match != c.want {
			t.Errorf("%s, reference=%s: match %v", c.names, c.glob, got.Match)
		}
		if !strings.Contains(c.names, " ") {
			if got := mustParse(t, "dangling=false", "reference!="+c.glob).Match(sub, now); got.Match == c.want {
				t.Errorf("%s, reference!=%s: match %v", c.names, c.glob, got.Match)
			}
		}
	}
	for _, typed := range []string{"reference=a,", "reference=,a", "reference!=a,,b", "reference=a, b", "reference=a,["} {
		if _, err := Parse(Options{Filters: []string{typed}}, now); err == nil {
			t.Errorf("%s is accepted", typed)
		}
	}
}
