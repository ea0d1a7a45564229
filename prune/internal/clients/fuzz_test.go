package clients_test

import (
	"encoding/json"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Each view of nerdctl's, and each image that it mounts, is a use of its own.
func FuzzNerdctlMounts(f *testing.F) {
	f.Fuzz(func(t *testing.T, views, all, first, second string) {
		labels := map[string]string{clients.LabelNerdctlViews: views, clients.LabelNerdctlMounts: all}
		for i, one := range []string{first, second} {
			if one != "" {
				labels[clients.LabelNerdctlMounts+"."+string(rune('0'+i))] = one
			}
		}
		uses, err := clients.NerdctlUses(containers.Container{ID: "c", Snapshotter: "overlayfs", Labels: labels})
		if err != nil {
			if uses != nil {
				t.Errorf("uses beside an error: %+v", uses)
			}
			return
		}
		var keys []string
		if err := json.Unmarshal([]byte(views), &keys); err != nil {
			t.Fatalf("views %q were understood: %v", views, err)
		}
		if len(uses) < len(keys) {
			t.Fatalf("%d views, %d uses", len(keys), len(uses))
		}
		for i, use := range uses {
			switch {
			case i < len(keys) && use.Snapshot != inventory.SnapshotKey{Snapshotter: "overlayfs", Key: keys[i]}:
				t.Errorf("view %q became %+v", keys[i], use)
			case i >= len(keys) && use.Snapshot != inventory.SnapshotKey{}:
				t.Errorf("a mount became %+v", use)
			}
		}
	})
}
