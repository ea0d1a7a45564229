package prune

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

func TestNamespacesOfAPolicy(t *testing.T) {
	inv := world{"default": {record("x:1", "a")}, "k8s.io": {record("x:1", "a")}, "empty": nil}.inventory()
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
			plan, err := plan.NewPlan(inv, c.policy, noon)
			var wrong *rules.PolicyError
			if c.err != "" {
				if !errors.As(err, &wrong) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want a *PolicyError with %q", err, c.err)
				}
				return
			}
			var got []string
			for _, d := range must(plan, err).Decisions {
				got = append(got, d.Namespace)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := plan.NewPlan((&inventory.Inventory{}), rules.Policy{Namespaces: []string{"default"}}, noon); err == nil || !strings.Contains(err.Error(), "the store has no namespaces") {
		t.Errorf("an empty store: %v", err)
	}
}

// Docker's namespace is closed unless an Engine was asked; build history
// always.
func TestClosedNamespaces(t *testing.T) {
	dangling := record("moby-dangling@"+dig("a").String(), "a")
	w := world{
		"moby": {record("x:1", "a"), dangling}, "moby_history": {record("x:1", "a"), dangling}, "default_history": {dangling},
		"default": {dangling},
	}
	for _, policy := range []rules.Policy{
		{AllNamespaces: true, Filters: all()},
		{Namespaces: []string{"moby", "moby_history", "default_history", "default"}, Filters: all()},
	} {
		plan := must(plan.NewPlan(w.inventory(), policy, noon))
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

func TestElsewhere(t *testing.T) {
	inv := world{"default": {record("x:1", "a")}, "k8s.io": {record("x:1", "a"), record("x:2", "a")}, "moby_history": {record("x:1", "a")}, "empty": nil}.inventory()
	plan := must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"empty"}, Filters: all()}, noon))
	if diff := cmp.Diff(map[string]int{"default": 1, "k8s.io": 2}, plan.Elsewhere()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !plan.Empty() {
		t.Error("there is something to do in an empty namespace")
	}
}

// Two names of one image: removing one frees nothing and says so.
func TestDetailsOfARemoval(t *testing.T) {
	inv := world{
		"default": {
			blob("a"), record("x:1", "a"), record("y:1", "a"), container("c", "y:1", ""),
			blob("b"), record("z:1", "b"), record("gone:1", "g"), blob("d"), record("free:1", "d"),
			blob("e"), record("leased:1", "e"), lease(historyLease, holding(theBlob("e"))),
		},
		"other": {blob("b"), record("w:1", "b")},
	}.inventory()
	plan := must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	got := make(map[string]string)
	for _, d := range plan.Decisions {
		got[d.Name] = ""
		for _, detail := range d.Details {
			got[d.Name] += detail.Reason
		}
	}
	want := map[string]string{
		"x:1": `its content stays, held by image "y:1"`, "y:1": "",
		"z:1":      `its content stays, held by image "w:1" in namespace "other"`,
		"gone:1":   "its content is not in the store",
		"free:1":   "",
		"leased:1": "its content stays, held by build history (lease \"" + historyLease + "\"); `buildctl prune-histories` frees it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	if got, want := plan.Predicted(), (inventory.Amount{Blobs: 1, ContentBytes: descriptor("d").Size, TotalBytes: descriptor("d").Size}); got != want {
		t.Errorf("predicted %+v, want %+v", got, want)
	}
}

func TestSaturate(t *testing.T) {
	const most = 1<<63 - 1
	for _, c := range []struct{ a, b, want int64 }{
		{0, 0, 0}, {1, 2, 3}, {7, -5, 7}, {0, -1 << 63, 0}, {most, 1, most}, {most - 1, 1, most}, {1, most, most}, {most, most, most}, {most, -1, most},
	} {
		if got := inventory.Saturate(c.a, c.b); got != c.want {
			t.Errorf("%d and %d are %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// Sizes come from the store; hostile ones saturate.
func TestAmountsSaturate(t *testing.T) {
	const most = 1<<63 - 1
	inv := world{"default": {record("x:1", "a"), blob("a", refContent("b"), refContent("c", ".1")), blob("b"), blob("c")}}.inventory()
	for text, size := range map[string]int64{"a": most, "b": most - 1, "c": -5} {
		info := inv.Namespaces[0].Blobs[dig(text)]
		info.Size = size
		inv.Namespaces[0].Blobs[dig(text)] = info
	}
	plan := must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	if got, want := plan.Predicted(), (inventory.Amount{Blobs: 3, ContentBytes: most, TotalBytes: most}); got != want {
		t.Errorf("predicted %+v, want %+v", got, want)
	}
}
