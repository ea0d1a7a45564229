package clients

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// addRooted adds the views and writable snapshots without a container of their
// own that a lease of another client, a label on them, or a container or sandbox
// by a label holds, as those of `ctr images mount`, of CSI drivers for images
// and of virtual machines: somebody works with their files, and no record says
// so. What is known as the use of a client that has better names is left out.
func addRooted(ns *inventory.Namespace, now time.Time) {
	r := rooted{ns: ns, left: mounted(ns), docker: ns.Docker()}
	for _, use := range ns.Uses {
		delete(r.left, use.Snapshot)
	}
	r.addLeased(now, true) // who is at work may need more than the others
	r.addLeased(now, false)
	r.addLabelled()
	for _, c := range ns.Containers {
		r.addReferred(inventory.HolderOf(c), c.Labels)
	}
	for _, s := range ns.Sandboxes {
		r.addReferred(cause.Holder{Kind: "sandbox", ID: s.ID}, s.Labels)
	}
}

// rooted adds uses to a namespace, of each snapshot the first.
type rooted struct {
	ns   *inventory.Namespace
	left map[inventory.SnapshotKey]bool
	// docker: the namespace is Docker's, which is asked.
	docker bool
}

func (r *rooted) add(key inventory.SnapshotKey, holder cause.Holder, begun bool) {
	delete(r.left, key)
	r.ns.Uses = append(r.ns.Uses, inventory.Use{Holder: holder, Snapshot: key, Begun: begun})
}

// addLeased adds what leases hold, either those with an expiry or the others. A
// lease with an expiry is that of somebody at work, who may have looked the image
// up to create a container: any of its names may be needed. What is held for good
// needs the image, by whatever name.
func (r *rooted) addLeased(now time.Time, atWork bool) {
	for _, lease := range r.ns.Leases {
		_, expires := leases.Expiry(lease.Lease)
		if expires != atWork || !mayUseImages(lease, now) || r.docker && ofDocker(lease) {
			continue
		}
		for _, resource := range lease.Resources {
			snapshotter, ok := strings.CutPrefix(resource.Type, "snapshots/")
			key := inventory.SnapshotKey{Snapshotter: snapshotter, Key: resource.ID}
			if ok && r.left[key] {
				holder := snapshotHolder(r.ns, key)
				holder.Lease = lease.ID
				r.add(key, holder, atWork)
			}
		}
	}
}

// ofDocker says whether a lease is formed as one of a Docker container or mount.
// In another namespace it is CRI's, of a pod.
func ofDocker(lease inventory.Lease) bool {
	kind := leases.KindOf(lease.Lease, lease.Resources...)
	return kind == leases.KindDocker || kind == leases.KindMount
}

// addLabelled adds what is labelled as a root.
func (r *rooted) addLabelled() {
	for _, key := range slices.SortedFunc(maps.Keys(r.left), inventory.CompareSnapshotKeys) {
		if label := rootLabel(r.ns.Snapshots[key].Labels); label != "" {
			holder := snapshotHolder(r.ns, key)
			holder.Label = label
			r.add(key, holder, false)
		}
	}
}

// addReferred adds what a record refers to by labels of the collector.
func (r *rooted) addReferred(holder cause.Holder, labels map[string]string) {
	for _, label := range slices.Sorted(maps.Keys(store.SnapshotLabels(labels))) {
		snapshotter, _, _ := strings.Cut(strings.TrimPrefix(label, store.SnapshotLabel), "/")
		if key := (inventory.SnapshotKey{Snapshotter: snapshotter, Key: labels[label]}); r.left[key] {
			holder.Label = label
			r.add(key, holder, false)
		}
	}
}

// rootLabel is the label that makes the collector keep an object by itself.
func rootLabel(labels inventory.Labels) string {
	for _, label := range labels {
		if strings.HasPrefix(label.Key, store.RootLabel) {
			return label.Key
		}
	}
	return ""
}
