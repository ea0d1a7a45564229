package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
)

// ReadUsage reads the store, measures every snapshot, and returns what [Usage]
// returns for a plan made by the policy. The error may be a *[PolicyError].
func ReadUsage(ctx context.Context, store Store, policy Policy, now time.Time, opts ReadOptions, objects bool) (*DiskUsage, error) {
	return df.ReadUsage(ctx, store, policy, now, opts, objects)
}

// Usage returns what the store holds and who holds it; reclaimable is what this
// plan would free. Every snapshot must have been measured, as [ReadPlan] does
// with AllSizes. With objects, every blob and snapshot is listed. If the plan
// is not needed for anything else, [ReadUsage] is cheaper.
func Usage(p *Plan, objects bool) *DiskUsage {
	return df.Usage(p, objects)
}

// DiskUsage is what a store holds and who holds it, at the time it was read.
type DiskUsage = df.DiskUsage

// HolderUsage is what one class of holders holds. The classes do not overlap:
// an object of an image is in the class of images, whatever else holds it.
type HolderUsage = df.HolderUsage

// HolderClass is a class of holders.
type HolderClass = df.HolderClass

// The classes. An object is in the first that applies.
const (
	HeldByImages     = df.HeldByImages
	HeldByContainers = df.HeldByContainers
	HeldByGrace      = df.HeldByGrace
	HeldByLeases     = df.HeldByLeases
	HeldByIngests    = df.HeldByIngests
	HeldByLabels     = df.HeldByLabels
	HeldByUnread     = df.HeldByUnread
	HeldByNothing    = df.HeldByNothing
	UnknownFiles     = df.UnknownFiles
)

// NamespaceUsage is the sum of a namespace. A blob that two namespaces have is
// in both sums, but only once in the total.
type NamespaceUsage = df.NamespaceUsage

// ImageUsage is the usage of one image: all records with the same target in one
// namespace.
type ImageUsage = df.ImageUsage

// ObjectUsage is one blob or snapshot.
type ObjectUsage = df.ObjectUsage

// ObjectState says whether an object is kept, and by what.
type ObjectState = df.ObjectState

// The states. An object is in exactly one.
const (
	// StateUnique means that only one image, which is kept, holds it.
	StateUnique = df.StateUnique
	// StateShared means that several images hold it, or an image and something
	// else.
	StateShared = df.StateShared
	// StateHeld means that no image that is kept holds it, but something else
	// does.
	StateHeld = df.StateHeld
	// StateReclaimable means that the plan frees it.
	StateReclaimable = df.StateReclaimable
	// StateGarbage means that it is unreferenced and awaits garbage collection.
	StateGarbage = df.StateGarbage
	// OfSeveral marks an object in [DiskUsage.Common] that images of more than one
	// class have.
	OfSeveral = df.OfSeveral
)
