package rules_test

import (
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

// shelf has images of several ages, one of them with two names and a config.
func shelf() tw.World {
	age := func(days int) tw.Attr {
		return func(t *tw.Thing) { t.Created, t.Updated = tw.Noon.AddDate(0, 0, -days), tw.Noon.AddDate(0, 0, -days) }
	}
	return tw.World{"default": {
		tw.Record("docker.io/library/app:1", "old", age(5)), tw.Blob("old", age(5), tw.RefContent("old config", ".config"), tw.RefContent("layer", ".l.0")), tw.Blob("old config", age(5)),
		tw.Record("docker.io/library/app:latest", "new", age(3)), tw.Record("quay.io/team/app:2", "new", age(3)),
		tw.Blob("new", age(3), tw.RefContent("new config", ".config"), tw.RefContent("layer", ".l.0")), tw.Blob("new config", age(3)), tw.Blob("layer", age(9)),
		tw.Record("docker.io/library/web:1", "web", age(1)), tw.Blob("web", age(1)),
	}}
}

func TestNamedImages(t *testing.T) {
	const app1, latest, team, web = "docker.io/library/app:1", "docker.io/library/app:latest", "quay.io/team/app:2", "docker.io/library/web:1"
	hex := func(blob string) string { return tw.Digest(blob).Encoded() }
	for filter, want := range map[string][]string{
		"id=app:1":                            {app1},
		"id=docker.io/library/app:1":          {app1},
		"id=app":                              {latest}, // as every client completes it
		"id=app,web:1":                        {latest, web},
		"id=" + hex("new"):                    {latest, team},
		"id=" + hex("new")[:6]:                {latest, team},
		"id=sha256:" + hex("old")[:6]:         {app1},
		"id=" + hex("new config"):             {latest, team}, // Docker's and CRI's ID
		"id=" + hex("old config")[:12]:        {app1},
		"id=app@" + tw.Digest("new").String(): {latest},
		"before=app:latest":                   {app1},
		"since=app:latest":                    {web},
		"since=" + hex("old")[:6]:             {latest, web, team},
		"before=web:1":                        {app1, latest, team},
	} {
		p, err := plan.NewPlan(shelf().Inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(filter)}, tw.Noon)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		var got []string
		for _, d := range p.Decisions {
			if d.Gone() {
				got = append(got, d.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filter, diff)
		}
	}
}

func TestNamedImagesThatCannotBeFound(t *testing.T) {
	hex := tw.Digest("layer").Encoded()
	for filter, want := range map[string]string{
		"id=87f":         `no image in namespace "default" is named "87f"; of an ID give at least 4 digits`,
		"id=nope":        `no image in namespace "default" is named "nope", and none has an ID that begins so`,
		"before=app:9":   `; there are "app:1", "app:latest", "quay.io/team/app:2"`,
		"since=team/app": `; there are "quay.io/team/app:2"`,
		"id=app:1,abc":   `is named "abc"`,
		"id=" + hex:      `is named "` + hex, // a layer is no image
	} {
		_, err := plan.NewPlan(shelf().Inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(filter)}, tw.Noon)
		if err == nil || !strings.Contains(err.Error(), want) || cause.CodeOf(err) != "no-such-image" {
			t.Errorf("%s: %v, code %q", filter, err, cause.CodeOf(err))
		}
	}
}

// Digits that two images begin with choose neither.
func TestNamedImagesAmbiguous(t *testing.T) {
	w := tw.World{"default": {}}
	seen := make(map[string]string)
	for i := 0; ; i++ {
		name := strings.Repeat("i", i+1)
		w["default"] = append(w["default"], tw.Record("x:"+strings.Repeat("1", i+1), name), tw.Blob(name))
		begin := tw.Digest(name).Encoded()[:rules.MinPrefix]
		if seen[begin] != "" {
			_, err := plan.NewPlan(w.Inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("id=" + begin)}, tw.Noon)
			if cause.CodeOf(err) != "ambiguous-image" || !strings.Contains(err.Error(), "2 images have an ID that begins with") {
				t.Errorf("got %v", err)
			}
			return
		}
		seen[begin] = name
	}
}

// The image of a before= may be gone or be new when the plan is looked at again;
// what it meant stays.
func TestNamedImagesAreLookedUpOnce(t *testing.T) {
	p, err := plan.NewPlan(shelf().Inventory(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("before=web:1")}, tw.Noon)
	if err != nil {
		t.Fatal(err)
	}
	less := shelf()
	less["default"] = less["default"][:len(less["default"])-2]
	again, err := plan.NewPlan(less.Inventory(), p.Policy, tw.Noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range again.Decisions {
		if !d.Gone() {
			t.Errorf("%s: %s", d.Name, d.Reason)
		}
	}
}

// An ID means the image in the namespace where it is: the same name elsewhere may
// be another image.
func TestNamedImagesInSeveralNamespaces(t *testing.T) {
	w := tw.World{"a": {tw.Record("x:1", "one"), tw.Blob("one")}, "b": {tw.Record("x:1", "two"), tw.Blob("two")}}
	p, err := plan.NewPlan(w.Inventory(), rules.Policy{AllNamespaces: true, Filters: tw.All("id=" + tw.Digest("two").Encoded())}, tw.Noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range p.Decisions {
		if d.Gone() != (d.Namespace == "b") {
			t.Errorf("%s in %s: %s", d.Name, d.Namespace, d.Action)
		}
	}
}

// What a person may have expected of a label is told.
func TestHintsOnLabels(t *testing.T) {
	w := tw.World{"default": {
		tw.Record("x:1", "a", tw.Labelled("team", "red"), tw.Labelled("ctr-prune.keep", "yes")), tw.Blob("a", tw.RefContent("c", ".config")),
		tw.Blob("c"),
	}}
	for filter, want := range map[string]string{
		"until=1h":       `label ctr-prune.keep=yes on "x:1" does not keep it, although it looks so`,
		"label=team":     "its record has label team=red, but a filter asks for labels that the image was built with",
		"label=team=red": "its record has label team=red",
		"label=team=b":   "",
		"label=other":    "",
	} {
		inv := w.Inventory()
		inv.Namespaces[0].Configs[tw.Digest("a")] = inventory.Config{Labels: []map[string]string{{}}}
		p, err := plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(filter)}, tw.Noon)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, detail := range p.Decisions[0].Details {
			if detail.ReasonCode == cause.CodeLookalike || detail.ReasonCode == cause.CodeRecordLabel {
				got += detail.Reason
			}
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", filter, got, want)
		}
	}
}
