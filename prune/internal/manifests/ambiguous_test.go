package manifests_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A signature whose subject not all read as the same stays, as does an image
// whose labels a filter asks for and not all read as the same.
func TestAmbiguousDocumentsKeep(t *testing.T) {
	app, other := tw.ManifestOf("{}", ""), tw.ManifestOf("{ }", "")
	signature := strings.Replace(tw.ManifestOf("{  }", app), `"subject"`, `"subject":{"mediaType":"x"},"subject"`, 1)
	config := `{"config":{"Labels":{"temporary":"yes"},"labels":{}}}`
	labelled, plainly := tw.ManifestOf(config, ""), `{"config":{"Labels":{"temporary":"yes"}}}`
	w := tw.World{"default": []tw.Thing{
		tw.Record("app:1", app), tw.Record("other:1", other), tw.Record("app:1.sig", signature), tw.Record("labelled:1", labelled), tw.Record("plain:1", tw.ManifestOf(plainly, "")),
		tw.Container("c", "app:1", ""), tw.Blob(app), tw.Blob(other), tw.Blob(signature), tw.Blob(labelled), tw.Blob(config), tw.Blob(tw.ManifestOf(plainly, "")), tw.Blob(plainly),
	}}
	s := w.Build(t, t.TempDir())
	t.Cleanup(func() { tw.Must(0, s.Close()) })
	decide := func(f filters.Set) map[string]rules.Decision {
		got := map[string]rules.Decision{}
		plan := tw.Must(flow.ReadPlan(t.Context(), s, rules.Policy{Namespaces: []string{"default"}, Filters: f}, time.Now(), read.ReadOptions{}))
		for _, d := range plan.Decisions {
			got[d.Name] = d
		}
		return got
	}
	got := decide(tw.All())
	if d := got["app:1.sig"]; d.Action != rules.Keep || !strings.Contains(d.Reason, `it has the key "subject" twice`) {
		t.Errorf("the signature: %s, %s", d.Action, d.Reason)
	}
	if d := got["other:1"]; d.Action != rules.Remove {
		t.Errorf("another image: %s, %s", d.Action, d.Reason)
	}
	got = decide(tw.All("label=temporary"))
	if d := got["labelled:1"]; d.Action != rules.Keep || !strings.Contains(d.Reason, `it has the key "labels", which some programs read as "Labels"`) {
		t.Errorf("the image with labels: %s, %s", d.Action, d.Reason)
	}
	if d := got["plain:1"]; d.Action != rules.Remove {
		t.Errorf("the image with the same labels: %s, %s", d.Action, d.Reason)
	}
}
