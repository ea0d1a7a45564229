package prune

import (
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"

	"github.com/ctr-prune/ctr-prune/filters"
)

// People call a container by the name that its client gave it.
func TestExplainFindsAContainerByItsName(t *testing.T) {
	ns := &Namespace{Name: "default", Containers: []containers.Container{
		{ID: "0123456789abcdef", Labels: map[string]string{labelNerdctlName: "web-1"}},
		{ID: "fedcba9876543210", Labels: map[string]string{labelNerdctlName: "web-2"}},
	}}
	if err := ns.addContainers(); err != nil {
		t.Fatal(err)
	}
	inv := &Inventory{Namespaces: []*Namespace{ns}}
	for _, text := range []string{"web-2", "fedc", "fedcba9876543210"} {
		e, err := inv.Explain(text, Policy{AllNamespaces: true, Filters: filters.Everything()}, time.Unix(0, 0))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if e.Object.Name != "fedcba9876543210" {
			t.Errorf("%s names %s", text, e.Object)
		}
	}
}
