package clients_test

import (
	"context"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	core "github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// asked counts how often a source is asked.
type asked int

func (a *asked) Uses(context.Context, clients.Asked) ([]inventory.Use, bool, error) {
	*a++
	return nil, true, nil
}

// Docker is not asked about a namespace from which nothing could be removed. But
// it is when the images may have been there before: a run has removed them, and
// one may be needed by now.
func TestDockerIsAskedWhereItMatters(t *testing.T) {
	lease := func(id string) []inventory.Lease { return []inventory.Lease{{Lease: core.Lease{ID: id}}} }
	for name, c := range map[string]struct {
		ns           inventory.Namespace
		again        bool
		asked, notes int
	}{
		"nothing":                     {inventory.Namespace{}, false, 0, 0},
		"leases":                      {inventory.Namespace{Leases: lease("theirs")}, false, 0, 1},
		"images":                      {inventory.Namespace{Images: []images.Image{{Name: "a"}}}, false, 1, 0},
		"nothing when read again":     {inventory.Namespace{}, true, 1, 0},
		"a run":                       {inventory.Namespace{Leases: lease("ctr-prune")}, false, 1, 0},
		"a killed run, to be undone":  {inventory.Namespace{Interrupted: []string{"ctr-prune"}}, false, 1, 0},
		"uploads that may be aborted": {inventory.Namespace{Ingests: make([]content.Status, 1)}, false, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var source asked
			c.ns.Name = "moby"
			inv := &inventory.Inventory{Namespaces: []*inventory.Namespace{&c.ns}}
			if err := (clients.Asking{Sources: []clients.Source{&source}, Again: c.again}).Learn(t.Context(), inv); err != nil {
				t.Fatal(err)
			}
			if int(source) != c.asked || len(c.ns.Notes) != c.notes || c.ns.Closed.Given() {
				t.Errorf("asked %d times, want %d; notes %v, closed %q", source, c.asked, c.ns.Notes, c.ns.Closed.Reason)
			}
		})
	}
}
