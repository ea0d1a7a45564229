package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// problems are what the problems mean, and what fixes them unless the finding
// says more.
var problems = map[Problem]struct {
	meaning    func(*cause.Parts) string
	fix        string
	repairable bool
}{
	ProblemIncomplete: {
		meaning: func(p *cause.Parts) string { return "no container can be made from it: " + p.Because.Reason },
	},
	ProblemForgotten: {
		meaning: cause.Fixed("its file is on disk but containerd does not know it, as happens after a crash; containerd notices such files only when it next removes content"),
		fix:     "a repair", repairable: true,
	},
	ProblemForgottenFiles: {
		meaning: cause.Fixed("it is in the directory of a snapshotter but containerd does not know it, as happens after a crash or if it could not be removed"),
		fix:     "a repair", repairable: true,
	},
	ProblemForgottenUpload: {
		meaning: cause.Fixed("it is among the uploads on the disk but containerd does not know it, as happens after a crash"),
		fix:     "a repair", repairable: true,
	},
	ProblemLostSnapshot: {
		meaning: cause.Fixed("containerd lists it but its files are missing; whatever is based on it fails, and a pull does not restore it"),
	},
	ProblemLostDatabase: {
		meaning: cause.Fixed("the database of a snapshotter is missing, so containerd no longer knows its snapshots"),
		fix:     "restore it from a backup; without one, stop containerd, move the directory of the snapshotter away, and pull again",
	},
	ProblemDamaged: {
		meaning: func(p *cause.Parts) string { return "its file is not what containerd lists: " + p.Because.Reason },
	},
	ProblemLost: {
		meaning: cause.Fixed("containerd lists it but its file is missing, as happens after a power failure; whatever needs it fails, and a pull does not fetch it again"),
	},
	ProblemGarbage: {
		meaning: cause.Fixed("nothing refers to it; containerd collects it after the next change to its store"),
		fix:     "a repair", repairable: true,
	},
	ProblemUnowned: {
		meaning: cause.Fixed("no container, lease or label holds this writable snapshot; the next garbage collection removes it"),
		fix:     "a repair", repairable: true,
	},
	ProblemExpired: {
		meaning: cause.Fixed("it has expired, but an idle containerd does not collect what it holds"),
		fix:     "a repair, or a prune of leases", repairable: true,
	},
	ProblemOldUpload: {
		meaning: func(p *cause.Parts) string { return p.Because.Reason + ", and no lease holds it" },
		fix:     "a repair, or a prune of uploads", repairable: true,
	},
	ProblemInterrupted: {
		meaning: cause.Fixed("a run of ctr-prune was killed; what it removed is still held"),
		fix:     "a repair, or any later run in this namespace", repairable: true,
	},
	ProblemPhantom: {
		meaning: func(p *cause.Parts) string {
			return fmt.Sprintf("CRI shows it as %s, but containerd has no record of it: pods made from it fail", strings.Join(p.Names, ", "))
		},
		fix: "restart containerd, or pull the image again",
	},
	ProblemUnreadable: {
		meaning: func(p *cause.Parts) string { return "nothing is removed here: " + p.Because.Reason },
		fix:     "provide what is missing",
	},
	ProblemLookalike: {
		meaning: func(p *cause.Parts) string {
			return fmt.Sprintf("its label %s does not keep it, although it looks so", p.Label)
		},
	},
}

// leases finds the leases that garbage collection no longer honours.
func (k *Checker) leases(ns *inventory.Namespace) {
	for _, lease := range ns.Leases {
		switch {
		case slices.Contains(ns.Interrupted, lease.ID):
			k.add(Finding{
				Problem: ProblemInterrupted, Namespace: ns.Name, Object: lease.ID,
				Bytes: k.alone[graph.Node{Kind: graph.KindLease, Namespace: ns.Name, Key: lease.ID}].TotalBytes,
			})
		case !k.C.Live(lease):
			k.add(Finding{Problem: ProblemExpired, Namespace: ns.Name, Object: lease.ID})
		}
	}
}

// uploads finds the abandoned uploads.
func (k *Checker) uploads(ns *inventory.Namespace) {
	for _, u := range plan.DecideUploads(k.C, ns, rules.Policy{IngestAge: gc.IngestExpiry}) {
		if u.Action == rules.Remove {
			k.add(Finding{Problem: ProblemOldUpload, Namespace: ns.Name, Object: u.Ref, Bytes: u.Bytes, Parts: cause.PartsBecause(u.Cause)})
		}
	}
}

// unreadable finds namespaces in which nothing can be removed.
func (k *Checker) unreadable(ns *inventory.Namespace) {
	if ns.Closed.Given() {
		k.add(Finding{Problem: ProblemUnreadable, Namespace: ns.Name, Object: "namespace " + ns.Name, Parts: cause.PartsBecause(ns.Closed)})
	}
}

// lookalikes finds labels that were probably meant to keep their images.
func (k *Checker) lookalikes(ns *inventory.Namespace) {
	catalog := sync.OnceValue(func() *rules.Catalog { return rules.NewCatalog(ns, k.C.Version) })
	for i := range ns.Images {
		image := &ns.Images[i]
		found := rules.Lookalikes(ns, image, func() *rules.Unit { return catalog().Units[image.Target.Digest] })
		if len(found) > 0 { // one that works settles them all
			p := found[0].ReasonParts
			k.add(Finding{Problem: ProblemLookalike, Namespace: ns.Name, Object: image.Name, Parts: p, Fix: p.Command})
		}
	}
}

// phantoms finds images that CRI shows although containerd has no record of
// them.
func (k *Checker) phantoms(ctx context.Context, store store.Store, ns *inventory.Namespace) error {
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
	catalog := rules.NewCatalog(ns, k.C.Version)
	for _, image := range shown {
		if len(catalog.ShownAs(image)) == 0 {
			k.add(Finding{Problem: ProblemPhantom, Namespace: ns.Name, Object: image.ID, Parts: &cause.Parts{Names: image.Refs}})
		}
	}
	return nil
}

// Incomplete finds the records whose content is not all there. The bytes are
// what there is of them, also what others share.
func (k *Checker) Incomplete(ns *inventory.Namespace, l manifests.Completeness) {
	var records []graph.Node
	lacks := make(map[graph.Node]cause.Cause)
	for _, image := range ns.Images {
		if lack := l.Lacks(image.Target.Digest); lack.Given() {
			record := graph.Node{Kind: graph.KindImage, Namespace: ns.Name, Key: image.Name}
			records, lacks[record] = append(records, record), lack
		}
	}
	if len(records) == 0 {
		return
	}
	present := k.C.Totals(k.C.Sizes(), records)
	for _, record := range records {
		sum := present[record]
		k.add(Finding{
			Problem: ProblemIncomplete, Namespace: ns.Name, Object: record.Key, Bytes: sum.TotalBytes, AtLeast: sum.Bound || sum.AtLeast,
			Parts: cause.PartsBecause(lacks[record]),
			Fix:   fmt.Sprintf("ctr -n %s images pull %s", ns.Name, manifests.PullName(record.Key)),
		})
	}
}
