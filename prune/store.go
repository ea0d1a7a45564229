package prune

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
)

// Open connects to the containerd whose unix socket is at address: a path, also
// in the form unix:///run/containerd/containerd.sock. It asks the server for
// its version, so a Store that it returns has answered at least once. Every
// error is an [*OpenError] or the error of ctx.
func Open(ctx context.Context, address string, opts ...OpenOption) (Store, error) {
	return daemon.Open(ctx, address, opts...)
}

// OpenOption changes how [Open] connects.
type OpenOption = daemon.OpenOption

// WithTimeout sets how long [Open] waits for the first answer; the default is
// ten seconds. Later calls are limited only by their contexts.
func WithTimeout(d time.Duration) OpenOption {
	return daemon.WithTimeout(d)
}

// WithDialOptions adds gRPC options, for example interceptors, after those that
// [Open] sets itself.
func WithDialOptions(opts ...grpc.DialOption) OpenOption {
	return daemon.WithDialOptions(opts...)
}

// WithInsecureSocket accepts a socket that [Open] otherwise refuses, because
// every user of the machine can write to it or replace it, or because it
// belongs neither to root nor to the user of this process. Anybody who can
// write to the socket is in effect root on the machine, and can change the
// store during a run.
func WithInsecureSocket() OpenOption {
	return daemon.WithInsecureSocket()
}

// OpenRoot opens the root directory of a stopped containerd, usually
// /var/lib/containerd, with containerd's own packages. The database is locked
// until Close; a containerd that is started meanwhile waits for the lock.
//
// It never migrates the database. It checks every file before it opens any of
// them for writing, so that nothing is created or changed if it refuses the
// directory. Every error is an [*OpenError] or the error of ctx.
func OpenRoot(ctx context.Context, dir string, opts ...RootOption) (Store, error) {
	return root.OpenRoot(ctx, dir, opts...)
}

// RootOption changes how [OpenRoot] opens a directory.
type RootOption = root.RootOption

// WithReadOnly makes [OpenRoot] open the root only to read it, so that one on a
// file system that is mounted read-only, or whose files this user may only read,
// can be looked at. Nothing is written, and whatever would be fails. Others who
// read the root, too, are not kept out.
func WithReadOnly() RootOption {
	return root.WithReadOnly()
}

// Store is the part of containerd's API that this package needs. [Open] returns
// one for a running daemon, [OpenRoot] one for the root directory of a stopped
// daemon. The services take the namespace from the context, as containerd's own
// clients do.
//
// Implementations are safe for concurrent use.
type Store = store.Store

// StoreInfo identifies a store.
type StoreInfo = store.StoreInfo

// StoreKind is how a store is accessed.
type StoreKind = store.StoreKind

// The kinds of store.
const (
	StoreDaemon = store.StoreDaemon
	StoreRoot   = store.StoreRoot
)

// Abilities are the optional parts of a store: a [CRI], [BlobFiles], a [Disk].
// A field is nil if the store does not have that part. A type that wraps a
// Store passes them on by embedding it.
type Abilities = store.Abilities

// CRI is containerd's CRI plugin: its view of images and pods.
type CRI = store.CRI

// BlobFiles are the files of the content store, as far as this process can see
// them.
type BlobFiles = store.BlobFiles

// Disk is the disk that the store is on.
type Disk = store.Disk

// OpenError says in one sentence why a store could not be opened, and what to
// do about it. Nothing was created or changed.
//
// It matches one of containerd's errdefs with errors.Is:
//   - ErrInvalidArgument: the address cannot name a containerd's socket.
//   - ErrNotFound: the socket or directory does not exist.
//   - ErrPermissionDenied: this user may not access it.
//   - ErrUnavailable: nothing answers there, or another process holds the lock.
//   - ErrFailedPrecondition: it is not a store that this package can work on.
type OpenError = store.OpenError
