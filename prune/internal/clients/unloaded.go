package clients

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// unloaded tells of what stands on snapshots in a snapshotter that containerd
// has not loaded, so that nobody can see on which image: as one whose plugin
// failed when containerd was started. What a container calls its image is not
// enough, since the name may have moved; a digest is.
func unloaded(ns *inventory.Namespace, loaded []string, now time.Time) error {
	var errs []error
	told := make(map[inventory.SnapshotKey]bool)
	cannotSee := func(holder any, snapshotter string) {
		errs = append(errs, fmt.Errorf("%v is based on a snapshot of snapshotter %q, which containerd has not loaded, so its image is unknown: load that snapshotter again, or remove what uses it", holder, snapshotter))
	}
	for _, use := range ns.Uses {
		told[use.Snapshot] = true
		name := use.Snapshot.Snapshotter
		if name != "" && use.Snapshot.Key != "" && len(use.Digests) == 0 && !slices.Contains(loaded, name) {
			cannotSee(use.Holder, name)
		}
	}
	for _, lease := range ns.Leases {
		if !mayUseImages(lease, now) {
			continue
		}
		for _, r := range lease.Resources {
			name, ok := strings.CutPrefix(r.Type, "snapshots/")
			if ok && !told[inventory.SnapshotKey{Snapshotter: name, Key: r.ID}] && !slices.Contains(loaded, name) {
				cannotSee(fmt.Sprintf("what lease %q holds", lease.ID), name)
				break
			}
		}
	}
	return errors.Join(errs...)
}

// silent tells of snapshotters that have snapshots in the namespace and do not
// answer: nobody knows which these are, and what stands on them.
func silent(ns *inventory.Namespace) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(ns.Silences)) {
		err := fmt.Errorf("snapshotter %q, which has snapshots in this namespace, does not answer, so it is unknown what is based on them: restart it: %s", name, ns.Silences[name])
		errs = append(errs, &cause.CodeError{Code: cause.CodeSilent, Err: err})
	}
	return errors.Join(errs...)
}

// mayUseImages says whether what a lease holds may be a use that nobody else
// tells of: a container that is being created, or something of a client that is
// not known. Docker is asked, and build cache uses no images.
func mayUseImages(lease inventory.Lease, now time.Time) bool {
	switch leases.KindOf(lease.Lease) {
	case leases.KindOther:
		return true
	case leases.KindPull:
		at, _ := leases.Expiry(lease.Lease)
		return !now.After(at)
	default:
		return false
	}
}

// Unseen notes the snapshotters that images are unpacked in and that containerd
// has not loaded: what only the snapshots themselves say is not known.
func Unseen(ns *inventory.Namespace, loaded []string) []cause.Cause {
	unseen := make(map[string]int)
	for _, blob := range ns.Blobs {
		for _, label := range blob.Labels {
			name, ok := strings.CutPrefix(label.Key, store.SnapshotLabel)
			name, _, _ = strings.Cut(name, "/") // of several snapshots
			if ok && !slices.Contains(loaded, name) {
				unseen[name]++
			}
		}
	}
	var notes []cause.Cause
	for _, name := range slices.Sorted(maps.Keys(unseen)) {
		notes = append(notes, cause.Because(cause.CodeNotLoaded, cause.Parts{Namespace: ns.Name, Name: name, Blobs: unseen[name]}))
	}
	return notes
}
