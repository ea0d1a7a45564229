package rules_test

import (
	"context"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// telling is a client that tells of uses in every namespace.
type telling []inventory.Use

func (s telling) Uses(context.Context, clients.Asked) ([]inventory.Use, bool, error) {
	return s, true, nil
}

// What a client says of a container's image does not cancel what the
// container's own snapshot stands on; where both fit, the word decides among
// images on the same layers.
func TestClientsWord(t *testing.T) {
	own := inventory.SnapshotKey{Snapshotter: "memory", Key: "own"}
	w := tw.World{"moby": tw.Join(
		tw.With(tw.Unpacked("a", tw.Layer("1"), ""), tw.Record("a:1", "a")),
		[]tw.Thing{tw.Blob("twin", tw.RefContent("twin config", ".config")), tw.Blob("twin config", tw.RefSnapshot(tw.Layer("1"))), tw.Record("twin:1", "twin")},
		tw.With(tw.Unpacked("b", tw.Layer("2"), ""), tw.Record("b:1", "b")),
		tw.With(tw.Unpacked("c", tw.Layer("3"), tw.Layer("2")), tw.Record("c:1", "c")),
		// A layer on that of b, of an image that has no record any more.
		[]tw.Thing{tw.Snapshot(tw.Layer("4"), tw.Layer("2")), tw.Active("own", tw.Layer("1")), tw.Active("above", tw.Layer("4"))},
	)}
	s := w.Build(t, t.TempDir())
	t.Cleanup(func() { tw.Must(0, s.Close()) })
	above := inventory.SnapshotKey{Snapshotter: "memory", Key: "above"}
	for name, c := range map[string]struct {
		use  inventory.Use
		want map[string]rules.Action
	}{
		"it fits":                       {inventory.Use{Digests: []digest.Digest{tw.Digest("a")}, Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn}},
		"it fits by name":               {inventory.Use{Image: "a:1", Digests: []digest.Digest{tw.Digest("a")}, Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.Keep}},
		"it does not fit":               {inventory.Use{Digests: []digest.Digest{tw.Digest("b")}, Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "twin:1": rules.StandIn, "b:1": rules.StandIn}},
		"it names a name that is none":  {inventory.Use{Image: "none:1", Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "twin:1": rules.StandIn}},
		"it says that there is none":    {inventory.Use{Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "twin:1": rules.StandIn}},
		"it does not fit, by far":       {inventory.Use{Digests: []digest.Digest{tw.Digest("a")}, Snapshot: above, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "b:1": rules.StandIn}},
		"nothing but an image is known": {inventory.Use{Digests: []digest.Digest{tw.Digest("a")}, Told: true}, map[string]rules.Action{"a:1": rules.StandIn}},
	} {
		t.Run(name, func(t *testing.T) {
			c.use.Holder = cause.Holder{Kind: "container", ID: "x"}
			plan := tw.Must(flow.ReadPlan(t.Context(), s, rules.Policy{Namespaces: []string{"moby"}, Filters: tw.All()}, time.Now(), read.ReadOptions{Sources: []clients.Source{telling{c.use}}}))
			for _, d := range plan.Decisions {
				want := c.want[d.Name]
				if want == "" {
					want = rules.Remove
				}
				if d.Action != want {
					t.Errorf("%s: %s, %s, want %s", d.Name, d.Action, d.Reason, want)
				}
			}
		})
	}
}
