package df

import (
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// TypeUsage is what things of one type hold. The types do not overlap, and are those
// of the holders, with the leases told apart: those of containers and of builds are
// with these.
type TypeUsage struct {
	Type HolderClass `json:"type"`
	// Total is how many there are: images of the namespaces that are listed,
	// containers, leases, uploads, or else objects. Active is how many of them are
	// needed now: images that somebody uses, all containers, leases and uploads that
	// have not expired.
	Total  int `json:"total"`
	Active int `json:"active"`
	// SizeBytes is all that they hold, of uploads also what was written so far.
	SizeBytes int64 `json:"sizeBytes"`
	AtLeast   bool  `json:"atLeast,omitempty"`
	// ReclaimableBytes is what of that a prune of all unused images frees.
	ReclaimableBytes int64 `json:"reclaimableBytes"`
}

// typeNames are the types as people read them.
var typeNames = map[HolderClass]string{
	HeldByImages: "Images", HeldByContainers: "Container layers", HeldByBuilds: "Build cache", HeldByLeases: "Leases",
	HeldByIngests: "Uploads", HeldByNothing: "Unreferenced", HeldByGrace: "Graces of runs", HeldByLabels: "gc.root labels",
	HeldByUnread: "Unread namespaces", UnknownFiles: "Unknown files",
}

// String says the type in words.
func (u TypeUsage) String() string { return typeNames[u.Type] }

// typeOrder is the order of the types: docker's, then the others.
var typeOrder = []HolderClass{HeldByImages, HeldByContainers, HeldByBuilds, HeldByLeases, HeldByIngests, HeldByNothing, HeldByGrace, HeldByLabels, HeldByUnread}

// alwaysTold says of which types it is told also that there is nothing.
const alwaysTold = 6

// types are the sums of each type.
type types map[HolderClass]*TypeUsage

func (t types) of(class HolderClass) *TypeUsage {
	if t[class] == nil {
		t[class] = &TypeUsage{Type: class}
	}
	return t[class]
}

// add adds an object.
func (t types) add(class HolderClass, bytes int64, freed bool) {
	sum := t.of(class)
	sum.AtLeast = sum.AtLeast || bytes == inventory.Unmeasured
	sum.SizeBytes = inventory.Saturate(sum.SizeBytes, bytes)
	if freed {
		sum.ReclaimableBytes = inventory.Saturate(sum.ReclaimableBytes, bytes)
	}
	switch class {
	case HeldByLabels, HeldByUnread, HeldByNothing:
		sum.Total++
	}
}

// list lists the types in order, without those of which there is nothing to tell.
func (t types) list() (all []TypeUsage) {
	for i, class := range typeOrder {
		sum := *t.of(class)
		if i < alwaysTold || sum.Total > 0 || sum.SizeBytes > 0 {
			all = append(all, sum)
		}
	}
	return all
}

// typeOf is the type of what a root of a class holds.
func (u *Accounting) typeOf(class HolderClass, root graph.Node) HolderClass {
	if class == HeldByLeases {
		s := u.Collector.Spaces[root.Namespace]
		return typeOfLease(s.KindOf(s.LeaseByID[root.Key]))
	}
	return class
}

func typeOfLease(kind leases.Kind) HolderClass {
	switch kind {
	case leases.KindCache, leases.KindView, leases.KindBuild, leases.KindHistory:
		return HeldByBuilds
	case leases.KindDocker, leases.KindMount, leases.KindPod:
		return HeldByContainers
	case leases.KindGrace:
		return HeldByGrace
	default:
		return HeldByLeases
	}
}

// count counts what there is of each type.
func (u *Accounting) count(images []ImageUsage) {
	sum := u.types.of(HeldByImages)
	sum.Total = len(images)
	for i := range images {
		switch images[i].ReasonCode {
		case cause.CodeInUse, cause.CodeStandIn, cause.CodeStandsIn:
			sum.Active++
		}
	}
	for _, s := range u.Collector.Order {
		containers := u.types.of(HeldByContainers)
		containers.Total, containers.Active = containers.Total+len(s.Containers), containers.Active+len(s.Containers)
		u.countLeases(s)
		for _, ingest := range s.Ingests {
			uploads := u.types.of(HeldByIngests)
			uploads.Total++
			uploads.SizeBytes = inventory.Saturate(uploads.SizeBytes, ingest.Offset)
			if !u.Collector.Now.After(ingest.StartedAt.Add(gc.IngestExpiry)) {
				uploads.Active++
			}
		}
	}
}

// countLeases counts the leases of a namespace. One of a container that has a record is
// counted with that.
func (u *Accounting) countLeases(s *gc.Space) {
	for _, lease := range s.Leases {
		kind := s.KindOf(lease)
		_, recorded := s.ContainerByID[lease.ID]
		if recorded || kind == leases.KindPod {
			continue
		}
		sum := u.types.of(typeOfLease(kind))
		sum.Total++
		if u.Collector.Live(lease) {
			sum.Active++
		}
	}
}
