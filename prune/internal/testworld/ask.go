package testworld

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/explain"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// All is --all, with what else was typed as --filter, at [Noon].
func All(typed ...string) filters.Set {
	return Must(filters.Parse(filters.Options{All: true, Filters: typed}, Noon))
}

// OnlyDangling is a command line without --all.
func OnlyDangling(typed ...string) filters.Set {
	return Must(filters.Parse(filters.Options{Filters: typed}, Noon))
}

// EveryImage removes all that is unused in namespace default.
var EveryImage = rules.Policy{Namespaces: []string{"default"}, Filters: All()}

// Decided plans and writes the decisions as "name: action: reason", with
// digests by what is written in their blobs.
func Decided(t *testing.T, w World, policy rules.Policy) []string {
	t.Helper()
	plan, err := plan.NewPlan(w.Inventory(), policy, Noon)
	if err != nil {
		t.Fatal(err)
	}
	CheckDecisions(t, plan)
	lines := []string{}
	for _, d := range plan.Decisions {
		lines = append(lines, fmt.Sprintf("%s: %s: %s", d.Name, d.Action, d.Reason))
	}
	return strings.Split(Legend(strings.Join(lines, "\n")), "\n")
}

// CheckDecisions checks that every record of the pruned namespaces has one
// action and a reason.
func CheckDecisions(t TB, plan *plan.Plan) {
	t.Helper()
	want := make(map[[2]string]bool)
	for _, ns := range plan.Chosen {
		for _, image := range ns.Images {
			want[[2]string{ns.Name, image.Name}] = true
		}
	}
	for _, d := range plan.Decisions {
		switch {
		case !want[d.Key()]:
			t.Errorf("a decision too many: %+v", d)
		case d.Reason == "":
			t.Errorf("no reason: %+v", d)
		case (d.Action == rules.StandIn) != (d.StandIn != ""), d.Action != rules.Keep && d.Action != rules.Remove && d.Action != rules.StandIn:
			t.Errorf("no sense: %+v", d)
		}
		delete(want, d.Key())
	}
	if len(want) > 0 {
		t.Errorf("no decision about %v", want)
	}
}

// CheckDecided compares the decisions about one namespace with lines as those of
// [Decided].
func CheckDecided(t *testing.T, namespace string, set filters.Set, things []Thing, want []string) {
	t.Helper()
	got := Decided(t, World{namespace: things}, rules.Policy{Namespaces: []string{namespace}, Filters: set})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

// ExplainedBy is what explain.Explain tells of an inventory that is measured.
func ExplainedBy(inv *inventory.Inventory, text string, policy rules.Policy, now time.Time) (*explain.Explanation, error) {
	p, m, n, err := explain.FindSubject(inv, text, policy, now)
	if err != nil {
		return nil, err
	}
	return explain.ExplainNode(p, m, n), nil
}

// UsageOf is the usage as the plan sees it that removes all that is unused.
func UsageOf(inv *inventory.Inventory, policy rules.Policy, now time.Time, objects bool) *df.DiskUsage {
	policy.Filters = filters.Everything()
	p, m, err := plan.NewPlanAndModel(inv, policy, now, nil)
	Must(0, err)
	return df.PlanUsage(p, m, objects)
}

// ReadSized reads a store and measures all snapshots.
func ReadSized(s *Scene, opts read.ReadOptions) *inventory.Inventory {
	return Must(read.ReadMeasured(context.Background(), s.Store, inventory.Scope{AllNamespaces: true}, time.Now(), opts, (*gc.Collector).AllSnapshots))
}
