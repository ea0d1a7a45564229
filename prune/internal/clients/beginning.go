package clients

import (
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// unpackPrefix is what the key of a snapshot begins with that an unpack works
// in (core/unpack and client, UnpackKeyPrefix): its image has no record yet or
// is being pulled again.
const unpackPrefix = "extract-"

// AddBeginnings adds what may be about to be a container: a snapshot that was
// mounted since an earlier reading and that no container has yet. A client
// that creates a container looks the image up, prepares the snapshot, and
// records the container last, which with a large image can take a while. It
// has not said by which name it knows the image, so all of its names count.
func AddBeginnings(inv *inventory.Inventory, before *inventory.Inventory) {
	for _, ns := range inv.Namespaces {
		known := before.Namespace(ns.Name)
		if known == nil {
			continue
		}
		begun := mounted(ns)
		for key := range begun {
			if _, old := known.Snapshots[key]; old {
				delete(begun, key)
			}
		}
		for i := range ns.Uses {
			if use := &ns.Uses[i]; use.Holder.IsSnapshot() && begun[use.Snapshot] {
				use.Begun = true // a label, or a lease for good, holds it
				delete(begun, use.Snapshot)
			}
		}
		for key := range begun {
			holder := snapshotHolder(ns, key)
			holder.State = "made since the plan"
			ns.Uses = append(ns.Uses, inventory.Use{Holder: holder, Snapshot: key, Begun: true})
		}
	}
}

// mounted lists the views and the writable snapshots that no container has, but
// for those of unpacking.
func mounted(ns *inventory.Namespace) map[inventory.SnapshotKey]bool {
	found := make(map[inventory.SnapshotKey]bool)
	for key, snapshot := range ns.Snapshots {
		if IsMount(key, snapshot) {
			found[key] = true
		}
	}
	for _, c := range ns.Containers {
		delete(found, inventory.SnapshotKey{Snapshotter: c.Snapshotter, Key: c.SnapshotKey})
	}
	return found
}

// snapshotHolder is a snapshot as what uses an image.
func snapshotHolder(ns *inventory.Namespace, key inventory.SnapshotKey) cause.Holder {
	kind := cause.KindWritable
	if ns.Snapshots[key].Kind == snapshots.KindView {
		kind = cause.KindView
	}
	return cause.Holder{Kind: kind, ID: key.String()}
}

// IsMount says whether a snapshot may be that of a container, or of somebody who
// looks at an image: not a layer, nor where one is unpacked.
func IsMount(key inventory.SnapshotKey, s inventory.Snapshot) bool {
	return (IsActive(s) || s.Kind == snapshots.KindView) && !strings.HasPrefix(key.Key, unpackPrefix)
}

// IsActive says whether a snapshot can be written to, as that of a container.
func IsActive(s inventory.Snapshot) bool { return s.Kind == snapshots.KindActive }
