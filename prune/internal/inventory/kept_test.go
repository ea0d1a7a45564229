package inventory_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Labels that nobody asks for are not kept; all that the collector reads are.
func TestLabelsThatAreKept(t *testing.T) {
	labels := inventory.LabelsOf(map[string]string{
		"containerd.io/uncompressed": "a", "containerd.io/distribution.source.docker.io": "b", "buildkit/x": "c",
		"containerd.io/gc.root": "d", "containerd.io/gc.ref.content.l.0": "e", "ctr-prune/plan": "f",
	})
	if len(labels) != 3 || labels.Get("containerd.io/gc.root") != "d" || labels.Get("ctr-prune/plan") != "f" || labels.Get("containerd.io/uncompressed") != "" {
		t.Errorf("kept %v", labels)
	}
}
