package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
)

// ReadUsage reads the store, measures every snapshot, and tells what it holds as
// [Usage] does of a plan by the policy. The error may be a *[PolicyError].
func ReadUsage(ctx context.Context, store Store, policy Policy, now time.Time, opts ReadOptions, objects bool) (*DiskUsage, error) {
	return df.ReadUsage(ctx, store, policy, now, opts, objects)
}

// Usage tells what the store holds and who holds it: reclaimable is what this
// plan frees. Every snapshot must have been measured for it, as [ReadPlan] does
// with AllSizes. Objects adds every blob and snapshot. Where nothing else is
// asked of the plan, [ReadUsage] costs less.
func Usage(p *Plan, objects bool) *DiskUsage {
	return df.Usage(p, objects)
}

// DiskUsage is what a store holds and who holds it, as of one reading.
type DiskUsage = df.DiskUsage

// HolderUsage is what one class of holders has. The classes do not overlap:
// what an image holds is in the class of images, whatever else holds it.
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
	HeldByNothing    = df.HeldByNothing
	UnknownFiles     = df.UnknownFiles
)

// NamespaceUsage sums up a namespace. A blob that two namespaces know is in
// both sums, and once in the total.
type NamespaceUsage = df.NamespaceUsage

// ImageUsage is what one image, all records of a target in a namespace, has.
type ImageUsage = df.ImageUsage

// ObjectUsage is one blob or snapshot.
type ObjectUsage = df.ObjectUsage

// ObjectKind is what a blob or snapshot is to its image, as containerd's
// labels tell.
type ObjectKind = df.ObjectKind

// The kinds.
const (
	KindIndex    = df.KindIndex
	KindManifest = df.KindManifest
	KindConfig   = df.KindConfig
	KindLayer    = df.KindLayer
	KindContent  = df.KindContent
	KindSnapshot = df.KindSnapshot
)

// ObjectState is what would become of an object.
type ObjectState = df.ObjectState

// The states. An object is in exactly one.
const (
	// StateUnique means: one image alone holds it, and stays.
	StateUnique = df.StateUnique
	// StateShared means: several images hold it, or an image and something else.
	StateShared = df.StateShared
	// StateHeld means: no image holds it, or none that stays, but something does.
	StateHeld = df.StateHeld
	// StateReclaimable means: the plan frees it.
	StateReclaimable = df.StateReclaimable
	// StateGarbage means: unreferenced, awaiting garbage collection.
	StateGarbage = df.StateGarbage
	// OfSeveral is what [DiskUsage.Common] says of an object that images of more
	// than one class have.
	OfSeveral = df.OfSeveral
)
