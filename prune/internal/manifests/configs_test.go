package manifests_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Label filters read the configs of what is there, and keep what they cannot
// judge.
func TestConfigsAreRead(t *testing.T) {
	red, blue, none := tw.ConfigOf(map[string]string{"color": "red"}), tw.ConfigOf(map[string]string{"color": "blue"}), tw.ConfigOf(nil)
	image, other, plain := tw.ManifestOf(red, ""), tw.ManifestOf(blue, ""), tw.ManifestOf(none, "")
	empty, odd, wrong := "{}", `{"config":{"Labels":{"color":1}}}`, `{"config":"x"}`
	artifact := tw.ManifestOf(empty, "")
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
		"one platform of two":    {tw.IndexOf(manifest, image, other), []string{image, red, other, blue}, "label=color=blue", ""},
		"one platform is enough": {tw.IndexOf(manifest, image, other), []string{image, red, other, blue}, "label!=color=blue", "filter label!=color=blue: a platform"},
		"a platform that is not there": {
			tw.IndexOf(manifest, image, other), []string{image, red}, "label!=color=blue", "",
		},
		"no platform is there":           {tw.IndexOf(manifest, image, other), nil, "label!=color", "filter label!=color: none of its platforms"},
		"an index of indexes":            {tw.IndexOf(index, tw.IndexOf(manifest, image)), []string{tw.IndexOf(manifest, image), image, red}, "label=color", ""},
		"an index of layers":             {tw.IndexOf(ocispec.MediaTypeImageLayerGzip, "layer"), []string{"layer"}, "label!=color", "filter label!=color: none of its platforms"},
		"an index that repeats itself":   {tw.IndexOf(manifest, image, image, image), []string{image, red}, "label=color", ""},
		"an artifact":                    {artifact, []string{empty}, "label!=color", ""},
		"an artifact, asked for":         {artifact, []string{empty}, "label=color", "filter label=color: no platform has the label"},
		"no config":                      {image, nil, "label!=color", "filter label!=color: config sha256:"},
		"no manifest":                    {"", nil, "label!=color", "filter label!=color: sha256:"},
		"a config of garbage":            {tw.ManifestOf("garbage", ""), []string{"garbage"}, "label!=color", "filter label!=color: config sha256:"},
		"a manifest of garbage":          {"garbage", nil, "label!=color", "filter label!=color: sha256:"},
		"a label of garbage":             {tw.ManifestOf(odd, ""), []string{odd}, "label!=color", "filter label!=color: config sha256:"},
		"a config descriptor of garbage": {wrong, nil, "label!=color", "filter label!=color: sha256:"},
		"a manifest that is too large": {
			`{"x":"` + strings.Repeat("y", manifests.MaxDocument) + `"}`, nil, "label!=color", "filter label!=color: sha256:",
		},
		"a child that cannot be judged": {
			tw.IndexOf(manifest, image, "garbage"), []string{image, red, "garbage"}, "label=color", "filter label=color: sha256:",
		},
	} {
		t.Run(name, func(t *testing.T) {
			target := c.target
			things := []tw.Thing{}
			if target == "" {
				target = "absent"
			} else {
				things = append(things, tw.Blob(target))
			}
			for _, text := range c.there {
				things = append(things, tw.Blob(text))
			}
			got := decidedFrom(t, tw.World{"default": append(things, tw.Record("x:1", target))}, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(c.filter)})
			if c.want == "" && got != "remove: unused" || c.want != "" && !strings.HasPrefix(got, "keep: "+c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// decidedFrom builds a world, reads it, and plans about its one record.
func decidedFrom(t *testing.T, w tw.World, policy rules.Policy) string {
	t.Helper()
	s := w.Build(t, t.TempDir())
	defer func() { tw.Must(0, s.Close()) }()
	d := tw.Must(flow.ReadPlan(t.Context(), s, policy, time.Now(), read.ReadOptions{})).Decisions[0]
	return string(d.Action) + ": " + d.Reason
}

// An index that reaches the same blob in 2^40 ways is walked by digest.
func TestConfigsOfAnIndexBomb(t *testing.T) {
	config := tw.ConfigOf(map[string]string{"color": "red"})
	text := tw.ManifestOf(config, "")
	things := []tw.Thing{tw.Blob(config), tw.Blob(text)}
	for i := range 40 {
		index := tw.IndexOf(ocispec.MediaTypeImageIndex, text, text)
		text = strings.Replace(index, "{", fmt.Sprintf(`{"level":%d,`, i), 1)
		things = append(things, tw.Blob(text))
	}
	got := decidedFrom(t, tw.World{"default": append(things, tw.Record("x:1", text))}, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("label=color=red")})
	if got != "remove: unused" {
		t.Errorf("got %s", got)
	}
}

// What a manifest is about is read from the manifest.
func TestSubjectsAreRead(t *testing.T) {
	config := tw.ConfigOf(nil)
	image := tw.ManifestOf(config, "")
	signature := tw.ManifestOf("{}", image)
	w := tw.World{"default": {
		tw.Blob(config), tw.Blob(image), tw.Blob("{}"), tw.Blob(signature), tw.Record("app:1", image), tw.Record("s:1", signature), tw.Container("c", "app:1", ""),
	}}
	s := w.Build(t, t.TempDir())
	defer func() { tw.Must(0, s.Close()) }()
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}
	for _, d := range tw.Must(flow.ReadPlan(t.Context(), s, policy, time.Now(), read.ReadOptions{})).Decisions {
		if want := map[string]string{"app:1": "in use by container c", "s:1": `belongs to "app:1", which is kept`}[d.Name]; d.Action != rules.Keep || d.Reason != want {
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
		config := tw.ConfigOf(map[string]string{"color": "red"})
		link := tw.ManifestOf(config, "")
		things := []tw.Thing{tw.Blob(config), tw.Blob(link)}
		for range c.manifests {
			link = tw.IndexOf(ocispec.MediaTypeImageIndex, link)
			things = append(things, tw.Blob(link))
		}
		things = append(things, tw.Record("deep:1", link))
		if got := decidedFrom(t, tw.World{"default": things}, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("label=color=red")}); got != c.want {
			t.Errorf("%d manifests: %s, want %s", c.manifests, got, c.want)
		}
	}
}
