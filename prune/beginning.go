package prune

import (
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
)

// unpackPrefix is what the key of a snapshot begins with that an unpack works
// in (core/unpack and client, UnpackKeyPrefix): its image has no record yet or
// is being pulled again.
const unpackPrefix = "extract-"

// addBeginnings adds what is about to be a container: a writable snapshot that
// was not there in an earlier reading and that no container has yet. A client
// that creates a container looks the image up, prepares the snapshot, and
// records the container last, which with a large image can take a while. It
// has not said by which name it knows the image, so all of its names count.
func (inv *Inventory) addBeginnings(before *Inventory) {
	for _, ns := range inv.Namespaces {
		known := before.Namespace(ns.Name)
		if known == nil {
			continue
		}
		for key := range ns.beginnings() {
			if _, old := known.Snapshots[key]; !old {
				ns.begin(key)
			}
		}
	}
}

// addLeasedBeginnings adds those that a lease tells of at the first reading
// already: containerd's client creates a container under a lease with an
// expiry, which holds the snapshot until the container is recorded.
func (ns *Namespace) addLeasedBeginnings(now time.Time) {
	beginnings := ns.beginnings()
	for _, lease := range ns.Leases {
		if at, _ := leases.Expiry(lease.Lease); leases.KindOf(lease.Lease) != leases.KindPull || now.After(at) {
			continue
		}
		for _, resource := range lease.Resources {
			snapshotter, ok := strings.CutPrefix(resource.Type, "snapshots/")
			if key := (SnapshotKey{snapshotter, resource.ID}); ok && beginnings[key] {
				ns.begin(key)
			}
		}
	}
}

// beginnings lists the writable snapshots that no container has, but for those
// of unpacking.
func (ns *Namespace) beginnings() map[SnapshotKey]bool {
	found := make(map[SnapshotKey]bool)
	for key, snapshot := range ns.Snapshots {
		if isActive(snapshot) && !strings.HasPrefix(key.Key, unpackPrefix) {
			found[key] = true
		}
	}
	for _, c := range ns.Containers {
		delete(found, SnapshotKey{c.Snapshotter, c.SnapshotKey})
	}
	return found
}

func (ns *Namespace) begin(key SnapshotKey) {
	ns.Uses = append(ns.Uses, Use{
		Holder: Holder{Kind: "a container that is being created,", ID: key.Key}, Snapshot: key, Begun: true,
	})
}
