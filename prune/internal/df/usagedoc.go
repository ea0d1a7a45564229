package df

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// DiskUsage is what a store holds and who holds it, at the time it was read.
type DiskUsage struct {
	Store store.StoreInfo `json:"store"`
	Time  time.Time       `json:"time"`
	// Total is everything: all blobs, each once, all snapshots, and where the
	// files were looked at also what is on the disk and unknown to containerd.
	Total inventory.Amount `json:"total"`
	// IngestBytes are the bytes of unfinished uploads, which are not blobs yet.
	IngestBytes int64 `json:"ingestBytes"`
	// Reclaimable is what a prune of all unused images would free now.
	Reclaimable inventory.Amount `json:"reclaimable"`
	// Types divide all of that by what sort of thing holds it, with the uploads.
	Types      []TypeUsage      `json:"types"`
	Holders    []HolderUsage    `json:"holders"`
	Namespaces []NamespaceUsage `json:"namespaces"`
	Images     []ImageUsage     `json:"images"`
	Objects    []ObjectUsage    `json:"objects,omitempty"`
	// Notes say what could not be measured.
	Notes []cause.Cause `json:"notes,omitempty"`
	// UseWatchedSince is from when on it has been watched without a gap when images
	// are used, absent if nobody watches.
	UseWatchedSince time.Time `json:"useWatchedSince,omitzero"`

	common func(class func(image int) int) []int
}

// What [DiskUsage.Common] says of an object that no listed image has, and of
// one that images of several classes have.
const (
	OfNone    = -1
	OfSeveral = -2
)

// Common tells of each of Objects which class its images have in common, where
// class gives each of Images, by its place as [Usage] returned them,
// one from 0 on. It costs no more than the store is large.
func (d *DiskUsage) Common(class func(image int) int) []int {
	if d.common == nil {
		return slices.Repeat([]int{OfNone}, len(d.Objects))
	}
	return d.common(class)
}

// HolderUsage is what one class of holders holds. The classes do not overlap:
// an object of an image is in the class of images, whatever else holds it.
type HolderUsage struct {
	Class HolderClass `json:"class"`
	inventory.Amount
}

// HolderClass is a class of holders.
type HolderClass string

// The classes. An object is in the first that applies.
const (
	HeldByImages     HolderClass = "images"
	HeldByContainers HolderClass = "containers"
	HeldByGrace      HolderClass = "grace"
	HeldByLeases     HolderClass = "leases"
	HeldByIngests    HolderClass = "uploads"
	HeldByLabels     HolderClass = "root-labels"
	// HeldByUnread may be held by what could not be read of a namespace.
	HeldByUnread  HolderClass = "unread-namespaces"
	HeldByNothing HolderClass = "unreferenced"
	// HeldByBuilds is only a type, see [TypeUsage]: among the holders these are leases.
	HeldByBuilds HolderClass = "build-cache"
	// UnknownFiles are on the disk, and containerd does not know them.
	UnknownFiles HolderClass = "unknown-files"
)

// String says the class in words.
func (c HolderClass) String() string {
	switch c {
	case HeldByImages:
		return "images"
	case HeldByGrace:
		return "grace of a run only"
	case HeldByLabels:
		return "gc.root labels only"
	case HeldByUnread:
		return "namespaces that could not be read"
	case UnknownFiles:
		return "on disk, unknown to containerd"
	case HeldByNothing:
		return "unreferenced (awaiting garbage collection)"
	default:
		return string(c) + " only"
	}
}

// NamespaceUsage is the sum of a namespace. A blob that two namespaces have is
// in both sums, but only once in the total.
type NamespaceUsage struct {
	Name string `json:"name"`
	// Images are as many as are listed of it, and Names are what refers to them: image
	// records.
	Images     int `json:"images"`
	Names      int `json:"names"`
	Containers int `json:"containers"`
	Leases     int `json:"leases"`
	Ingests    int `json:"ingests"`
	inventory.Amount
	// UniqueBytes are what no other namespace has.
	UniqueBytes int64 `json:"uniqueBytes"`
	// ReclaimableBytes are what its images add to what a prune of all unused images
	// frees, and what else is freed there.
	ReclaimableBytes int64 `json:"reclaimableBytes"`
}

// ImageUsage is the usage of one image: all records with the same target in one
// namespace.
type ImageUsage struct {
	Namespace string `json:"namespace"`
	// Names are all of its names, the one that people know best first.
	Names     []string      `json:"names"`
	Target    digest.Digest `json:"target"`
	CreatedAt time.Time     `json:"createdAt"`
	inventory.Amount
	// AtLeast says that the amount and SharedBytes are lower bounds: images refer to
	// each other in more ways than are followed, or a snapshot was not measured.
	AtLeast bool `json:"atLeast,omitempty"`
	// SharedBytes are what others hold too; UniqueBytes what removing all of the
	// image's names would free.
	SharedBytes int64 `json:"sharedBytes"`
	UniqueBytes int64 `json:"uniqueBytes"`
	// ReclaimableBytes is what the image adds to what a prune of all unused images
	// frees. What several images share that go counts for the one that goes last.
	ReclaimableBytes int64 `json:"reclaimableBytes"`
	// Unused says that the prune removes all of the image's names.
	Unused bool `json:"unused"`
	// LastUsedAt is the last use of the image that is known, Time if somebody uses it,
	// and LastUsedBy who did, in words.
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
	LastUsedBy string    `json:"lastUsedBy,omitempty"`
	// Cause is why a prune of all unused images would remove or keep it.
	cause.Cause
}

// ObjectUsage is one blob or snapshot.
type ObjectUsage struct {
	Namespaces []string      `json:"namespaces"`
	Digest     digest.Digest `json:"digest,omitempty"`
	Snapshot   string        `json:"snapshot,omitempty"`
	Kind       ObjectKind    `json:"kind"`
	// Layer counts the layers of an image from its base, which is 1; 0 if the
	// object is no layer, or none that is known as one.
	Layer int   `json:"layer,omitempty"`
	Bytes int64 `json:"bytes"`
	// AtLeast says that Bytes is a lower bound: the snapshot could not be measured.
	AtLeast bool        `json:"atLeast,omitempty"`
	State   ObjectState `json:"state"`
	// Images counts the images that have the object, of those that are listed.
	Images int `json:"images"`
	// ImagesAtLeast says that Images is a lower bound, as AtLeast does of an
	// image.
	ImagesAtLeast bool        `json:"imagesAtLeast,omitempty"`
	Class         HolderClass `json:"class"`
	// Command made the layer, at BuiltAt, as far as that was read; not a part of the
	// JSON.
	Command string    `json:"-"`
	BuiltAt time.Time `json:"-"`
	// Keeper is one holder, if there is one. Of an object that is held although
	// its images go, it is the one that keeps it.
	cause.Keeper
}

// ObjectKind is what a blob or snapshot is to its image, according to
// containerd's labels.
type ObjectKind string

// The kinds.
const (
	KindIndex    ObjectKind = "index"
	KindManifest ObjectKind = "manifest"
	KindConfig   ObjectKind = "config"
	KindLayer    ObjectKind = "layer"
	KindContent  ObjectKind = "content" // a blob that no label explains
	KindSnapshot ObjectKind = "snapshot"
)

// ObjectState says whether an object is kept, and by what.
type ObjectState string

// The states. An object is in exactly one.
const (
	// StateUnique means that only one image, which is kept, holds it.
	StateUnique ObjectState = "unique"
	// StateShared means that several images hold it, or an image and something
	// else.
	StateShared ObjectState = "shared"
	// StateHeld means that no image that is kept holds it, but something else
	// does.
	StateHeld ObjectState = "held"
	// StateReclaimable means that the plan frees it.
	StateReclaimable ObjectState = "reclaimable"
	// StateGarbage means that it is unreferenced and awaits garbage collection.
	StateGarbage ObjectState = "garbage"
)
