package clients

import (
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// unpackPrefix is what the key of a snapshot begins with that an unpack works
// in (core/unpack and client, UnpackKeyPrefix): its image has no record yet or
// is being pulled again.
const unpackPrefix = "extract-"

// AddBeginnings adds what is about to be a container: a writable snapshot that
// was not there in an earlier reading and that no container has yet. A client
// that creates a container looks the image up, prepares the snapshot, and
// records the container last, which with a large image can take a while. It
// has not said by which name it knows the image, so all of its names count.
func AddBeginnings(inv *inventory.Inventory, before *inventory.Inventory) {
	for _, ns := range inv.Namespaces {
		known := before.Namespace(ns.Name)
		if known == nil {
			continue
		}
		for key := range beginnings(ns) {
			if _, old := known.Snapshots[key]; !old {
				begin(ns, key)
			}
		}
	}
}

// addLeasedBeginnings adds those that a lease tells of at the first reading
// already: containerd's client creates a container under a lease with an
// expiry, which holds the snapshot until the container is recorded.
func addLeasedBeginnings(ns *inventory.Namespace, now time.Time) {
	beginnings := beginnings(ns)
	for _, lease := range ns.Leases {
		if at, _ := leases.Expiry(lease.Lease); leases.KindOf(lease.Lease) != leases.KindPull || now.After(at) {
			continue
		}
		for _, resource := range lease.Resources {
			snapshotter, ok := strings.CutPrefix(resource.Type, "snapshots/")
			if key := (inventory.SnapshotKey{Snapshotter: snapshotter, Key: resource.ID}); ok && beginnings[key] {
				begin(ns, key)
			}
		}
	}
}

// beginnings lists the writable snapshots that no container has, but for those
// of unpacking.
func beginnings(ns *inventory.Namespace) map[inventory.SnapshotKey]bool {
	found := make(map[inventory.SnapshotKey]bool)
	for key, snapshot := range ns.Snapshots {
		if IsActive(snapshot) && !strings.HasPrefix(key.Key, unpackPrefix) {
			found[key] = true
		}
	}
	for _, c := range ns.Containers {
		delete(found, inventory.SnapshotKey{Snapshotter: c.Snapshotter, Key: c.SnapshotKey})
	}
	return found
}

func begin(ns *inventory.Namespace, key inventory.SnapshotKey) {
	ns.Uses = append(ns.Uses, inventory.Use{
		Holder: cause.Holder{Kind: "a container that is being created,", ID: key.Key}, Snapshot: key, Begun: true,
	})
}

// IsActive says whether a snapshot can be written to, as that of a container.
func IsActive(s snapshots.Info) bool { return s.Kind == snapshots.KindActive }
