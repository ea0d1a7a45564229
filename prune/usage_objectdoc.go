package prune

import "github.com/opencontainers/go-digest"

// ObjectUsage is one blob or snapshot.
type ObjectUsage struct {
	Namespaces []string      `json:"namespaces"`
	Digest     digest.Digest `json:"digest,omitempty"`
	Snapshot   string        `json:"snapshot,omitempty"`
	Kind       ObjectKind    `json:"kind"`
	// Layer counts the layers of an image from its base, which is 1; 0 if the
	// object is no layer, or none that is known as one.
	Layer int         `json:"layer,omitempty"`
	Bytes int64       `json:"bytes"`
	State ObjectState `json:"state"`
	// Images counts the images that have the object, of those that are listed.
	Images int `json:"images"`
	// ImagesAtLeast says that Images is a lower bound, as AtLeast does of an
	// image.
	ImagesAtLeast bool        `json:"imagesAtLeast,omitempty"`
	Class         HolderClass `json:"class"`
	// Keeper is one holder, if there is one. Of an object that is held although
	// its images go, it is the one that keeps it.
	Keeper
}

// ObjectKind is what a blob or snapshot is to its image, as containerd's
// labels tell.
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

// ObjectState is what would become of an object.
type ObjectState string

// The states. An object is in exactly one.
const (
	// StateUnique: one image alone holds it, and stays.
	StateUnique ObjectState = "unique"
	// StateShared: several images hold it, or an image and something else.
	StateShared ObjectState = "shared"
	// StateHeld: no image holds it, or none that stays, but something does.
	StateHeld ObjectState = "held"
	// StateReclaimable: the plan frees it.
	StateReclaimable ObjectState = "reclaimable"
	// StateGarbage: nothing holds it, it awaits collection.
	StateGarbage ObjectState = "garbage"
)
