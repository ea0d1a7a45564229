package store

import (
	"context"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
)

// Store is the part of a containerd that this package consumes. daemon.Open
// returns one for a running daemon, root.OpenRoot one for the directory of a
// stopped daemon. The services take the namespace from the context, as
// containerd's own clients do.
//
// Implementations are safe for concurrent use.
type Store interface {
	// Info identifies the store and says which collector it runs.
	Info(ctx context.Context) (StoreInfo, error)
	// Namespaces lists all namespaces, sorted.
	Namespaces(ctx context.Context) ([]string, error)
	// DeleteNamespace deletes a namespace in which there is nothing but leases.
	DeleteNamespace(ctx context.Context, name string) error

	Images() images.Store
	Content() content.Store
	Containers() containers.Store
	// Leases deletes a lease with [leases.SynchronousDelete] only after a
	// whole garbage collection.
	Leases() leases.Manager
	// Sandboxes may answer every call with errdefs.ErrNotImplemented:
	// servers before 1.7 have none.
	Sandboxes() sandbox.Store
	// Snapshotter returns the snapshotter of that name, one of
	// StoreInfo.Snapshotters.
	Snapshotter(name string) snapshots.Snapshotter

	// Batch calls fn once. Writes made with fn's context may share one
	// transaction, in which case an error from fn undoes all of them.
	// A store without transactions passes ctx through.
	Batch(ctx context.Context, fn func(ctx context.Context) error) error
	// Transactional says whether Batch makes one transaction of its writes.
	Transactional() bool

	// Events reports what is written, also by other clients. It is nil for a
	// store that nobody else can write to.
	Events() events.Subscriber

	// BlobFiles lists the blobs that lie in the content store's directory.
	// It returns errdefs.ErrUnavailable when this process cannot see it.
	BlobFiles(ctx context.Context) (map[digest.Digest]struct{}, error)

	// Abilities are what not every store can do.
	Abilities() Abilities

	Close() error
}

// StoreKind is how a store is accessed.
type StoreKind string

// The kinds of store.
const (
	StoreDaemon StoreKind = "daemon"
	StoreRoot   StoreKind = "root"
)

// StoreInfo identifies a store.
type StoreInfo struct {
	Kind StoreKind `json:"kind"`
	// Location is the socket's address or the root directory.
	Location string `json:"location"`
	// ID is stable for the life of the store: the daemon's UUID, or one
	// derived from the database of an embedded store. It is empty for a daemon
	// that has none and cannot write one, because its disk is full.
	ID string `json:"id"`
	// Version is containerd's version as it reports it ("2.4.2"); for an
	// embedded store the version of the packages linked in.
	Version string `json:"version"`
	// Snapshotters are the names of all usable snapshotters, sorted.
	Snapshotters []string `json:"snapshotters"`
}
