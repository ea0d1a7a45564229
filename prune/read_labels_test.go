package prune

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Label filters read the configs of what is there, and keep what they cannot
// judge.
func TestConfigsAreRead(t *testing.T) {
	red, blue, none := configOf(map[string]string{"color": "red"}), configOf(map[string]string{"color": "blue"}), configOf(nil)
	image, other, plain := manifestOf(red, ""), manifestOf(blue, ""), manifestOf(none, "")
	empty, odd, wrong := "{}", `{"config":{"Labels":{"color":1}}}`, `{"config":"x"}`
	artifact := manifestOf(empty, "")
	const manifest, index = ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex
	for name, c := range map[string]struct {
		target string
		there  []string
		filter string
		want   string // the beginning of the reason to keep; empty if it goes
	}{
		"it has the label":       {image, []string{red}, "label=color=red", ""},
		"it has not":             {image, []string{red}, "label=color=blue", "filter label=color=blue: no platform has the label"},
		"it has none":            {plain, []string{none}, "label!=color", ""},
		"one platform of two":    {indexOf(manifest, image, other), []string{image, red, other, blue}, "label=color=blue", ""},
		"one platform is enough": {indexOf(manifest, image, other), []string{image, red, other, blue}, "label!=color=blue", "filter label!=color=blue: a platform"},
		"a platform that is not there": {
			indexOf(manifest, image, other), []string{image, red}, "label!=color=blue", "",
		},
		"no platform is there":           {indexOf(manifest, image, other), nil, "label!=color", "filter label!=color: none of its platforms"},
		"an index of indexes":            {indexOf(index, indexOf(manifest, image)), []string{indexOf(manifest, image), image, red}, "label=color", ""},
		"an index of layers":             {indexOf(ocispec.MediaTypeImageLayerGzip, "layer"), []string{"layer"}, "label!=color", "filter label!=color: none of its platforms"},
		"an index that repeats itself":   {indexOf(manifest, image, image, image), []string{image, red}, "label=color", ""},
		"an artifact":                    {artifact, []string{empty}, "label!=color", ""},
		"an artifact, asked for":         {artifact, []string{empty}, "label=color", "filter label=color: no platform has the label"},
		"no config":                      {image, nil, "label!=color", "filter label!=color: config sha256:"},
		"no manifest":                    {"", nil, "label!=color", "filter label!=color: sha256:"},
		"a config of garbage":            {manifestOf("garbage", ""), []string{"garbage"}, "label!=color", "filter label!=color: config sha256:"},
		"a manifest of garbage":          {"garbage", nil, "label!=color", "filter label!=color: sha256:"},
		"a label of garbage":             {manifestOf(odd, ""), []string{odd}, "label!=color", "filter label!=color: config sha256:"},
		"a config descriptor of garbage": {wrong, nil, "label!=color", "filter label!=color: sha256:"},
		"a manifest that is too large": {
			`{"x":"` + strings.Repeat("y", manifests.MaxDocument) + `"}`, nil, "label!=color", "filter label!=color: sha256:",
		},
		"a child that cannot be judged": {
			indexOf(manifest, image, "garbage"), []string{image, red, "garbage"}, "label=color", "filter label=color: sha256:",
		},
	} {
		t.Run(name, func(t *testing.T) {
			target := c.target
			things := []thing{}
			if target == "" {
				target = "absent"
			} else {
				things = append(things, blob(target))
			}
			for _, text := range c.there {
				things = append(things, blob(text))
			}
			got := decidedFrom(t, world{"default": append(things, record("x:1", target))}, rules.Policy{Namespaces: []string{"default"}, Filters: all(c.filter)})
			if c.want == "" && got != "remove: unused" || c.want != "" && !strings.HasPrefix(got, "keep: "+c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// decidedFrom builds a world, reads it, and plans about its one record.
func decidedFrom(t *testing.T, w world, policy rules.Policy) string {
	t.Helper()
	s := w.build(t, t.TempDir())
	defer func() { must(0, s.Close()) }()
	d := must(flow.ReadPlan(t.Context(), s, policy, time.Now(), read.ReadOptions{})).Decisions[0]
	return string(d.Action) + ": " + d.Reason
}

// An index that reaches the same blob in 2^40 ways is walked by digest.
func TestConfigsOfAnIndexBomb(t *testing.T) {
	config := configOf(map[string]string{"color": "red"})
	text := manifestOf(config, "")
	things := []thing{blob(config), blob(text)}
	for i := range 40 {
		index := indexOf(ocispec.MediaTypeImageIndex, text, text)
		text = strings.Replace(index, "{", fmt.Sprintf(`{"level":%d,`, i), 1)
		things = append(things, blob(text))
	}
	got := decidedFrom(t, world{"default": append(things, record("x:1", text))}, rules.Policy{Namespaces: []string{"default"}, Filters: all("label=color=red")})
	if got != "remove: unused" {
		t.Errorf("got %s", got)
	}
}

// What a manifest is about is read from the manifest.
func TestSubjectsAreRead(t *testing.T) {
	config := configOf(nil)
	image := manifestOf(config, "")
	signature := manifestOf("{}", image)
	w := world{"default": {
		blob(config), blob(image), blob("{}"), blob(signature), record("app:1", image), record("s:1", signature), container("c", "app:1", ""),
	}}
	s := w.build(t, t.TempDir())
	defer func() { must(0, s.Close()) }()
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: all()}
	for _, d := range must(flow.ReadPlan(t.Context(), s, policy, time.Now(), read.ReadOptions{})).Decisions {
		if want := map[string]string{"app:1": "in use by container c", "s:1": `belongs to "app:1", which stays`}[d.Name]; d.Action != rules.Keep || d.Reason != want {
			t.Errorf("%s: %s: %s", d.Name, d.Action, d.Reason)
		}
	}
}

// An image of too many manifests is kept by a filter on labels, so that a chain
// of many images is not looked at again for each.
func TestConfigsOfTooManyManifests(t *testing.T) {
	for _, c := range []struct {
		manifests int
		want      string
	}{
		{manifests.MaxManifests - 2, "remove: unused"}, {manifests.MaxManifests, fmt.Sprintf("keep: filter label=color=red: it has more than %d manifests, too many to look at", manifests.MaxManifests)},
	} {
		config := configOf(map[string]string{"color": "red"})
		link := manifestOf(config, "")
		things := []thing{blob(config), blob(link)}
		for range c.manifests {
			link = indexOf(ocispec.MediaTypeImageIndex, link)
			things = append(things, blob(link))
		}
		things = append(things, record("deep:1", link))
		if got := decidedFrom(t, world{"default": things}, rules.Policy{Namespaces: []string{"default"}, Filters: all("label=color=red")}); got != c.want {
			t.Errorf("%d manifests: %s, want %s", c.manifests, got, c.want)
		}
	}
}
