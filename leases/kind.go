package leases

import (
	"regexp"
	"strings"

	"github.com/containerd/containerd/v2/core/leases"
)

// Kind is the sort of client that a lease belongs to, as far as its ID, its
// labels and what it holds tell.
type Kind string

// The kinds of lease. The rules were read in the sources of the clients and
// hold for the leases that buildkit 0.33 and dockerd 2.0 leave.
const (
	KindRun     Kind = "ctr-prune run"
	KindClaim   Kind = "ctr-prune takeover"
	KindGrace   Kind = "ctr-prune grace"
	KindCollect Kind = "ctr-prune collection"
	KindUndo    Kind = "ctr-prune undo"
	KindHistory Kind = "build history"
	KindCache   Kind = "build cache"
	KindBuild   Kind = "buildkit, temporary"
	KindDocker  Kind = "Docker container"
	// KindMount is a mount of an image in a Docker container, or a step of a
	// build in Docker.
	KindMount Kind = "Docker mount or build"
	// KindPod is what CRI keeps for a pod. Neither ID nor labels tell: who knows
	// the pods of a namespace does.
	KindPod   Kind = "Kubernetes pod"
	KindPull  Kind = "pull or build in progress"
	KindOther Kind = "other client"
)

// KindOf tells the kind of a lease which holds that.
func KindOf(lease leases.Lease, held ...leases.Resource) Kind {
	ours, ok := kindOfOurs(lease.ID)
	_, expires := Expiry(lease)
	switch {
	case ok:
		return ours
	case expires:
		return KindPull
	default:
		return kindOfLasting(lease, held)
	}
}

// labelBuildTemporary is on the leases that buildkit deletes when it starts.
const labelBuildTemporary = "buildkit/lease.temporary"

var (
	// historyID names what a record of a build refers to, by the 25 digits of
	// the build. Its namespace ends in "_history" since buildkit 0.12; before,
	// history was kept among what was built.
	historyID = regexp.MustCompile(`^ref_[0-9a-z]{25}$`)
	// variantsID names the compressions of one blob of the cache. Unlike the
	// lease of the cache record itself it is not flat.
	variantsID = regexp.MustCompile(`^[0-9a-z]{25}-variants$`)
	// dockerID is a container's or that of an image mount, which is a hash. IDs
	// of CRI's look the same: what tells is a snapshot of that name.
	dockerID = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// kindOfLasting tells the kind of a lease of another client that never
// expires.
func kindOfLasting(lease leases.Lease, held []leases.Resource) Kind {
	_, temporary := lease.Labels[labelBuildTemporary]
	switch {
	case temporary:
		return KindBuild
	case historyID.MatchString(lease.ID) && len(lease.Labels) == 0: // buildkit gives it none
		return KindHistory
	case Flat(lease) || variantsID.MatchString(lease.ID):
		return KindCache
	case dockerID.MatchString(lease.ID):
		return kindOfDocker(lease, held)
	default:
		return KindOther
	}
}

// kindOfDocker tells what of Docker's has an ID: the files of a container are in
// two snapshots, one named after it and "-init"; an image mount and a step of a
// build have only the first.
func kindOfDocker(lease leases.Lease, held []leases.Resource) Kind {
	kind := KindOther
	for _, r := range held {
		switch {
		case !strings.HasPrefix(r.Type, "snapshots/"):
		case r.ID == lease.ID+"-init":
			return KindDocker
		case r.ID == lease.ID:
			kind = KindMount
		}
	}
	return kind
}
