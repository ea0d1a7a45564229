package rules_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// fuzzWorld is what the plan files below are applied to.
func fuzzWorld() *inventory.Inventory {
	return tw.World{
		"default": {
			tw.Record("docker.io/library/a:1", "a"), tw.Record("docker.io/library/b:1", "b"), tw.Record("docker.io/library/used:1", "used"),
			tw.Blob("a"), tw.Blob("b"), tw.Blob("used"), tw.Container("c", "docker.io/library/used:1", ""),
		},
		"k8s.io": {tw.Record("docker.io/library/a:1", "a"), tw.Blob("a")},
	}.Inventory()
}

// A plan file is refused in a sentence, or removes exactly the records that it
// names as they are now, and never one that is in use. Planned again from its
// own document, it is the same.
func FuzzPlanFile(f *testing.F) {
	f.Add(tw.Must(json.Marshal(document.PlanDocument(tw.Must(plan.NewPlan(fuzzWorld(), rules.Policy{AllNamespaces: true, Filters: tw.All()}, tw.Noon))))))
	f.Fuzz(func(t *testing.T, file []byte) {
		selection, err := rules.ParseSelection(bytes.NewReader(file))
		if err != nil {
			var wrong *rules.PolicyError
			if !errors.As(err, &wrong) || selection != nil {
				t.Errorf("%v, and a selection: %v", err, selection)
			}
			return
		}
		inv := fuzzWorld()
		inv.Store.ID = selection.Store
		p, err := plan.NewPlan(inv, selection.Policy(), tw.Noon)
		if err != nil {
			var wrong *rules.PolicyError
			if !errors.As(err, &wrong) {
				t.Errorf("%v", err)
			}
			return
		}
		going := goingOf(p)
		for _, key := range going {
			record, chosen := selection.Records[key]
			image := inv.Namespace(key[0]).Images[slices.IndexFunc(inv.Namespace(key[0]).Images, isNamed(key[1]))]
			if !chosen || record.Target != image.Target.Digest || !record.UpdatedAt.Equal(image.UpdatedAt) || !record.CreatedAt.Equal(image.CreatedAt) {
				t.Errorf("%q goes and is not in the file as it is: %+v", key, record)
			}
			if key[1] == "docker.io/library/used:1" {
				t.Errorf("what is in use goes")
			}
		}
		again, err := rules.ParseSelection(bytes.NewReader(tw.Must(json.Marshal(document.PlanDocument(p)))))
		if err != nil {
			t.Fatalf("its own document cannot be read: %v", err)
		}
		if diff := cmp.Diff(going, goingOf(tw.Must(plan.NewPlan(inv, again.Policy(), tw.Noon)))); diff != "" {
			t.Errorf("planned again from its document:\n%s", diff)
		}
	})
}

func goingOf(plan *plan.Plan) (going [][2]string) {
	for _, d := range plan.Decisions {
		if d.Action != rules.Keep {
			going = append(going, d.Key())
		}
	}
	return going
}

// A name in full is the full name of itself, and no name in a command to copy
// is more than a word to a shell.
func FuzzName(f *testing.F) {
	f.Fuzz(func(t *testing.T, name string) {
		full := rules.Normalize(name)
		if full != "" {
			if again := rules.Normalize(full); again != full {
				t.Errorf("%q in full is %q, and that in full %q", name, full, again)
			}
			if back := rules.Normalize(rules.Familiar(full)); back != full {
				t.Errorf("%q is %q for people, which is %q", full, rules.Familiar(full), back)
			}
		}
		if typed := manifests.PullName(name); typed != name && typed != "REFERENCE" || strings.ContainsAny(typed, " \t\n'\"`$&|;<>()*?[]{}~#!\\") || strings.HasPrefix(typed, "-") {
			t.Errorf("%q becomes %q in a command", name, typed)
		}
		if rules.Dangling(name, []string{"mine"}, []string{"yours"}) && full != "" && !strings.Contains(name, "@sha") {
			t.Errorf("%q is dangling", name)
		}
	})
}

// isNamed looks for a record by its name.
func isNamed(name string) func(images.Image) bool {
	return func(i images.Image) bool { return i.Name == name }
}
