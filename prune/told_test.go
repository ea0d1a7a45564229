package prune

import (
	"context"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// telling is a client that tells of uses in every namespace.
type telling []Use

func (s telling) Uses(context.Context, Asked) ([]Use, bool, error) { return s, true, nil }

// What a client says of a container's image does not cancel what the
// container's own snapshot stands on; where both fit, the word decides among
// images on the same layers.
func TestClientsWord(t *testing.T) {
	own := SnapshotKey{"memory", "own"}
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
	above := SnapshotKey{"memory", "above"}
	for name, c := range map[string]struct {
		use  Use
		want map[string]Action
	}{
		"it fits":                       {Use{Digests: []digest.Digest{dig("a")}, Snapshot: own, Told: true}, map[string]Action{"a:1": StandIn}},
		"it fits by name":               {Use{Image: "a:1", Digests: []digest.Digest{dig("a")}, Snapshot: own, Told: true}, map[string]Action{"a:1": Keep}},
		"it does not fit":               {Use{Digests: []digest.Digest{dig("b")}, Snapshot: own, Told: true}, map[string]Action{"a:1": StandIn, "twin:1": StandIn, "b:1": StandIn}},
		"it names a name that is none":  {Use{Image: "none:1", Snapshot: own, Told: true}, map[string]Action{"a:1": StandIn, "twin:1": StandIn}},
		"it says that there is none":    {Use{Snapshot: own, Told: true}, map[string]Action{"a:1": StandIn, "twin:1": StandIn}},
		"it does not fit, by far":       {Use{Digests: []digest.Digest{dig("a")}, Snapshot: above, Told: true}, map[string]Action{"a:1": StandIn, "b:1": StandIn}},
		"nothing but an image is known": {Use{Digests: []digest.Digest{dig("a")}, Told: true}, map[string]Action{"a:1": StandIn}},
	} {
		t.Run(name, func(t *testing.T) {
			c.use.Holder = Holder{Kind: "container", ID: "x"}
			plan := must(ReadPlan(t.Context(), s, Policy{Namespaces: []string{"moby"}, Filters: all()}, time.Now(), ReadOptions{Sources: []Source{telling{c.use}}}))
			for _, d := range plan.Decisions() {
				want := c.want[d.Name]
				if want == "" {
					want = Remove
				}
				if d.Action != want {
					t.Errorf("%s: %s, %s, want %s", d.Name, d.Action, d.Reason, want)
				}
			}
		})
	}
}
