package rules_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestNamespacesOfAPolicy(t *testing.T) {
	inv := tw.World{"default": {tw.Record("x:1", "a")}, "k8s.io": {tw.Record("x:1", "a")}, "empty": nil}.Inventory()
	for name, c := range map[string]struct {
		policy rules.Policy
		want   []string // namespaces with decisions
		err    string
	}{
		"none":             {rules.Policy{}, nil, ""},
		"one":              {rules.Policy{Namespaces: []string{"default"}}, []string{"default"}, ""},
		"one twice":        {rules.Policy{Namespaces: []string{"default", "default"}}, []string{"default"}, ""},
		"two, by name":     {rules.Policy{Namespaces: []string{"k8s.io", "default"}}, []string{"default", "k8s.io"}, ""},
		"all":              {rules.Policy{AllNamespaces: true}, []string{"default", "k8s.io"}, ""},
		"all and one":      {rules.Policy{AllNamespaces: true, Namespaces: []string{"gone"}}, []string{"default", "k8s.io"}, ""},
		"an unknown one":   {rules.Policy{Namespaces: []string{"default", "defualt"}}, nil, `there is no namespace "defualt": choose one of "default", "empty", "k8s.io"`},
		"an unknown is ok": {rules.Policy{Namespaces: []string{"defualt", "default"}, MissingOK: true}, []string{"default"}, ""},
		"a hostile one":    {rules.Policy{Namespaces: []string{"\x1b[2J"}}, nil, `"\x1b[2J"`},
	} {
		t.Run(name, func(t *testing.T) {
			plan, err := plan.NewPlan(inv, c.policy, tw.Noon)
			var wrong *rules.PolicyError
			if c.err != "" {
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want a *PolicyError with %q", err, c.err)
				}
				return
			}
			var got []string
			for _, d := range tw.Must(plan, err).Decisions {
				got = append(got, d.Namespace)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := plan.NewPlan((&inventory.Inventory{}), rules.Policy{Namespaces: []string{"default"}}, tw.Noon); err == nil || !strings.Contains(err.Error(), "the store has no namespaces") {
		t.Errorf("an empty store: %v", err)
	}
}

// Docker's namespace is closed unless an Engine was asked; build history
// always.
func TestClosedNamespaces(t *testing.T) {
	dangling := tw.Record("moby-dangling@"+tw.Digest("a").String(), "a")
	w := tw.World{
		"moby": {tw.Record("x:1", "a"), dangling}, "moby_history": {tw.Record("x:1", "a"), dangling}, "default_history": {dangling},
		"default": {dangling},
	}
	for _, policy := range []rules.Policy{
		{AllNamespaces: true, Filters: tw.All()},
		{Namespaces: []string{"moby", "moby_history", "default_history", "default"}, Filters: tw.All()},
	} {
		plan := tw.Must(plan.NewPlan(w.Inventory(), policy, tw.Noon))
		for _, d := range plan.Decisions {
			if (d.Action == rules.Remove) != (d.Namespace == "default") {
				t.Errorf("%s in %s: %s: %s", d.Name, d.Namespace, d.Action, d.Reason)
			}
			if strings.HasSuffix(d.Namespace, "_history") && !strings.Contains(d.Reason, "history") {
				t.Errorf("%s: reason %q does not tell what to do", d.Namespace, d.Reason)
			}
			if d.Namespace == "moby" && d.ReasonCode != cause.CodeDockerNotAsked {
				t.Errorf("moby: reason %q does not tell what to do", d.Reason)
			}
		}
		if refused := plan.Refused; len(refused) != 1 || refused[0].Namespace != "moby" {
			t.Errorf("refused %v", refused)
		}
	}
}
