package leases

import (
	"regexp"
	"strings"

	"github.com/containerd/containerd/v2/core/leases"
)

// Kind is the kind of client that a lease belongs to, as far as its ID, its
// labels and what it holds show.
type Kind string

// The kinds of lease. The rules come from the sources of the clients, and are
// correct for the leases of buildkit 0.33 and dockerd 2.0.
const (
	KindRun     Kind = "ctr-prune run"
	KindClaim   Kind = "ctr-prune takeover"
	KindGrace   Kind = "ctr-prune grace"
	KindCollect Kind = "ctr-prune collection"
	KindUndo    Kind = "ctr-prune undo"
	KindHistory Kind = "build history"
	KindCache   Kind = "build cache"
	KindBuild   Kind = "buildkit, temporary"
	// KindView is a mount of build cache. It is temporary, too, but outlives the
	// build: buildkit ends it with the cache, or when it is started again.
	KindView   Kind = "build cache, mounted"
	KindDocker Kind = "Docker container"
	// KindMount is a mount of an image in a Docker container, or a step of a
	// build in Docker.
	KindMount Kind = "Docker mount or build"
	// KindPod is a lease that CRI keeps for a pod. Its ID and labels do not show
	// this; only a caller who knows the pods of the namespace can.
	KindPod   Kind = "Kubernetes pod"
	KindPull  Kind = "pull or build in progress"
	KindOther Kind = "other client"
)

// KindOf returns the kind of a lease that holds the given resources.
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
	// historyID matches the lease of what a build record refers to; it has the 25
	// characters of the build's ID. Since buildkit 0.12 its namespace ends in
	// "_history"; before, history was kept in the namespace of the builds
	// themselves.
	historyID = regexp.MustCompile(`^ref_[0-9a-z]{25}$`)
	// variantsID matches the lease of the differently compressed variants of one
	// cache blob. Unlike the lease of the cache record itself it is not flat.
	variantsID = regexp.MustCompile(`^[0-9a-z]{25}-variants$`)
	// viewID matches the lease of a mounted cache record.
	viewID = regexp.MustCompile(`^[0-9a-z]{25}-view$`)
	// dockerID matches the ID of a container, or of an image mount, which is a
	// hash. IDs of CRI look the same; a snapshot of the same name makes the
	// difference.
	dockerID = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// kindOfLasting returns the kind of another client's lease that never expires.
func kindOfLasting(lease leases.Lease, held []leases.Resource) Kind {
	_, temporary := lease.Labels[labelBuildTemporary]
	switch {
	case temporary && viewID.MatchString(lease.ID):
		return KindView
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

// kindOfDocker tells whether an ID is that of a Docker container, or of a mount
// or build step: the files of a container are in two snapshots, one named after
// it and one with the suffix "-init"; an image mount and a build step have only
// the first.
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
