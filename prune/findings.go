package prune

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

func isActive(s snapshots.Info) bool { return s.Kind == snapshots.KindActive }

// problems are what the problems mean, and what mends them unless the finding
// says more.
var problems = map[Problem]struct {
	meaning    func(*parts) string
	mend       string
	repairable bool
}{
	ProblemIncomplete: {
		meaning: func(p *parts) string { return "no container can be made from it: " + p.Because.Reason },
	},
	ProblemForgotten: {
		meaning: fixed("its file is on the disk but containerd does not know it, as after a crash; it looks only when it next removes content"),
		mend:    "a repair", repairable: true,
	},
	ProblemLost: {
		meaning: fixed("containerd lists it but its file is not on the disk, as after a power failure; what needs it fails, and a pull passes over it"),
	},
	ProblemGarbage: {
		meaning: fixed("nothing holds it; containerd collects it after the next change to its store"),
		mend:    "a repair", repairable: true,
	},
	ProblemUnowned: {
		meaning: fixed("no container, lease or label holds this writable snapshot; the next collection removes it"),
		mend:    "a repair", repairable: true,
	},
	ProblemExpired: {
		meaning: fixed("it has expired, but an idle containerd does not collect what it held"),
		mend:    "a repair, or a prune of leases", repairable: true,
	},
	ProblemOldUpload: {
		meaning: func(p *parts) string { return p.Because.Reason + ", and no lease holds it" },
		mend:    "a repair, or a prune of uploads", repairable: true,
	},
	ProblemInterrupted: {
		meaning: fixed("a run of ctr-prune was killed; what it removed is still held"),
		mend:    "a repair, or any later run in this namespace", repairable: true,
	},
	ProblemPhantom: {
		meaning: func(p *parts) string {
			return fmt.Sprintf("CRI shows it as %s, but containerd has no record of it: pods made from it fail", strings.Join(p.Names, ", "))
		},
		mend: "restart containerd, or pull the image again",
	},
	ProblemUnreadable: {
		meaning: func(p *parts) string { return "nothing is removed here: " + p.Because.Reason },
		mend:    "give what is missing",
	},
}

// leases finds the leases that nobody honours any more.
func (k *checker) leases(ns *Namespace) {
	for _, lease := range ns.Leases {
		switch {
		case slices.Contains(ns.Interrupted, lease.ID):
			k.add(Finding{
				Problem: ProblemInterrupted, Namespace: ns.Name, Object: lease.ID,
				Bytes: k.alone[node{kind: kindLease, ns: ns.Name, key: lease.ID}].TotalBytes,
			})
		case !k.c.live(lease):
			k.add(Finding{Problem: ProblemExpired, Namespace: ns.Name, Object: lease.ID})
		}
	}
}

// uploads finds the uploads that were given up.
func (k *checker) uploads(ns *Namespace) {
	for _, u := range k.c.uploads(ns, Policy{IngestAge: ingestExpiry}) {
		if u.Action == Remove {
			k.add(Finding{Problem: ProblemOldUpload, Namespace: ns.Name, Object: u.Ref, Bytes: u.Bytes, Parts: partsBecause(u.Cause)})
		}
	}
}

// unreadable finds namespaces in which nothing can be removed.
func (k *checker) unreadable(ns *Namespace) {
	if ns.Closed.given() {
		k.add(Finding{Problem: ProblemUnreadable, Namespace: ns.Name, Object: "namespace " + ns.Name, Parts: partsBecause(ns.Closed)})
	}
}

// phantoms finds images that CRI shows although containerd has no record of
// them.
func (k *checker) phantoms(ctx context.Context, store Store, ns *Namespace) error {
	cri := store.Abilities().CRI
	if cri == nil {
		return nil
	}
	shown, err := cri.Images(ctx)
	if errdefs.IsNotImplemented(err) {
		return nil // no CRI plugin runs
	}
	if err != nil {
		return fmt.Errorf("asking CRI for its images: %w", err)
	}
	catalog := newCatalog(ns, k.c.version)
	for _, image := range shown {
		if len(catalog.shownAs(image)) == 0 {
			k.add(Finding{Problem: ProblemPhantom, Namespace: ns.Name, Object: image.ID, Parts: &parts{Names: image.Refs}})
		}
	}
	return nil
}
