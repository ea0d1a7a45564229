package prune

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
	w := world{"moby": join(
		with(unpacked("a", layer("1"), ""), record("a:1", "a")),
		[]thing{blob("twin", refContent("twin config", ".config")), blob("twin config", refSnapshot(layer("1"))), record("twin:1", "twin")},
		with(unpacked("b", layer("2"), ""), record("b:1", "b")),
		with(unpacked("c", layer("3"), layer("2")), record("c:1", "c")),
		// A layer on that of b, of an image that has no record any more.
		[]thing{snapshot(layer("4"), layer("2")), active("own", layer("1")), active("above", layer("4"))},
	)}
	s := w.build(t, t.TempDir())
	t.Cleanup(func() { must(0, s.Close()) })
	above := inventory.SnapshotKey{Snapshotter: "memory", Key: "above"}
	for name, c := range map[string]struct {
		use  inventory.Use
		want map[string]rules.Action
	}{
		"it fits":                       {inventory.Use{Digests: []digest.Digest{dig("a")}, Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn}},
		"it fits by name":               {inventory.Use{Image: "a:1", Digests: []digest.Digest{dig("a")}, Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.Keep}},
		"it does not fit":               {inventory.Use{Digests: []digest.Digest{dig("b")}, Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "twin:1": rules.StandIn, "b:1": rules.StandIn}},
		"it names a name that is none":  {inventory.Use{Image: "none:1", Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "twin:1": rules.StandIn}},
		"it says that there is none":    {inventory.Use{Snapshot: own, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "twin:1": rules.StandIn}},
		"it does not fit, by far":       {inventory.Use{Digests: []digest.Digest{dig("a")}, Snapshot: above, Told: true}, map[string]rules.Action{"a:1": rules.StandIn, "b:1": rules.StandIn}},
		"nothing but an image is known": {inventory.Use{Digests: []digest.Digest{dig("a")}, Told: true}, map[string]rules.Action{"a:1": rules.StandIn}},
	} {
		t.Run(name, func(t *testing.T) {
			c.use.Holder = cause.Holder{Kind: "container", ID: "x"}
			plan := must(flow.ReadPlan(t.Context(), s, rules.Policy{Namespaces: []string{"moby"}, Filters: all()}, time.Now(), read.ReadOptions{Sources: []clients.Source{telling{c.use}}}))
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
