package prune

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

func isActive(s Snapshot) bool { return s.Kind == snapshots.KindActive }

// leases finds the leases that nobody honours any more.
func (k *checker) leases(ns *Namespace) {
	for _, lease := range ns.Leases {
		switch {
		case slices.Contains(ns.Interrupted, lease.ID):
			k.add(Finding{
				Problem: ProblemInterrupted, Namespace: ns.Name, Object: lease.ID, Repairable: true,
				Bytes:   k.alone[node{kind: kindLease, ns: ns.Name, key: lease.ID}].TotalBytes,
				Meaning: "a run of ctr-prune was killed; what it removed is still held",
				Mend:    "ctr-prune check --repair, or any later run in this namespace",
			})
		case !k.c.live(lease):
			k.add(Finding{
				Problem: ProblemExpired, Namespace: ns.Name, Object: lease.ID, Repairable: true,
				Meaning: "it has expired, but an idle containerd does not collect what it held",
				Mend:    "ctr-prune leases prune, or ctr-prune check --repair",
			})
		}
	}
}

// uploads finds the uploads that were given up.
func (k *checker) uploads(ns *Namespace) {
	for _, u := range k.c.uploads(ns, Policy{IngestAge: ingestExpiry}) {
		if u.Action == Remove {
			k.add(Finding{
				Problem: ProblemOldUpload, Namespace: ns.Name, Object: u.Ref, Bytes: u.Bytes, Repairable: true,
				Meaning: u.Reason + ", and no lease holds it",
				Mend:    fmt.Sprintf("ctr-prune -n %s --ingests=24h", ns.Name),
			})
		}
	}
}

// unreadable finds namespaces in which nothing can be removed.
func (k *checker) unreadable(ns *Namespace) {
	if ns.Closed != "" {
		k.add(Finding{
			Problem: ProblemUnreadable, Namespace: ns.Name, Object: "namespace " + ns.Name,
			Meaning: "nothing is removed here: " + ns.Closed,
			Mend:    "give what is missing; see ctr-prune --help",
		})
	}
}

// phantoms finds images that CRI shows although containerd has no record of
// them.
func (k *checker) phantoms(ctx context.Context, store Store, ns *Namespace) error {
	asker, ok := store.(interface{ cri() criImages })
	if !ok {
		return nil
	}
	cri := asker.cri()
	if cri == nil {
		return nil
	}
	shown, err := cri.List(ctx)
	if errdefs.IsNotImplemented(err) {
		return nil // no CRI plugin runs
	}
	if err != nil {
		return fmt.Errorf("asking CRI for its images: %w", err)
	}
	catalog := newCatalog(ns, k.c.version)
	for _, image := range shown {
		if len(catalog.shownAs(image)) == 0 {
			k.add(Finding{
				Problem: ProblemPhantom, Namespace: ns.Name, Object: image.ID,
				Meaning: fmt.Sprintf("CRI shows it as %s, but containerd has no record of it: pods made from it fail", strings.Join(image.Refs, ", ")),
				Mend:    "restart containerd, or pull the image again",
			})
		}
	}
	return nil
}
