package prune

import (
	"context"
	"time"

	"google.golang.org/grpc"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
)

// Open connects to the containerd whose unix socket is at address: a path,
// also in the form unix:///run/containerd/containerd.sock. It asks the server
// for its version, so that a Store it returns has answered once. Every error
// is an [*OpenError], or that of ctx.
func Open(ctx context.Context, address string, opts ...OpenOption) (Store, error) {
	return daemon.Open(ctx, address, opts...)
}

// OpenOption changes how [Open] connects.
type OpenOption = daemon.OpenOption

// WithTimeout sets how long [Open] waits for the first answer; the default is
// ten seconds. It does not limit later calls: their contexts do.
func WithTimeout(d time.Duration) OpenOption {
	return daemon.WithTimeout(d)
}

// WithDialOptions adds gRPC options, interceptors for instance, after those
// that [Open] sets itself.
func WithDialOptions(opts ...grpc.DialOption) OpenOption {
	return daemon.WithDialOptions(opts...)
}

// WithInsecureSocket accepts a socket that [Open] refuses: every user of the
// machine may write to it or replace it, or it belongs to neither root nor the
// user of this process. Whoever can write to it is root on the machine, and may
// change the store under a run.
func WithInsecureSocket() OpenOption {
	return daemon.WithInsecureSocket()
}

// OpenRoot opens the root directory of a containerd that does not run, usually
// /var/lib/containerd, with containerd's own packages. The database is locked
// until Close; a containerd that is started meanwhile waits for it.
//
// It never migrates the database. It looks at every file before it opens one
// for good, so that a refusal creates and changes nothing. Every error is an
// [*OpenError], or that of ctx.
func OpenRoot(ctx context.Context, dir string, opts ...RootOption) (Store, error) {
	return root.OpenRoot(ctx, dir, opts...)
}

// RootOption changes how [OpenRoot] opens a directory.
type RootOption = root.RootOption

// WithLockTimeout sets how long [OpenRoot] waits for the lock on a database
// that another process holds; the default is one second.
func WithLockTimeout(d time.Duration) RootOption {
	return root.WithLockTimeout(d)
}

// Store is the part of a containerd that this package consumes. [Open]
// returns one for a running daemon, [OpenRoot] one for the directory of a
// stopped daemon. The services take the namespace from the context, as
// containerd's own clients do.
//
// Implementations are safe for concurrent use.
type Store = store.Store

// StoreInfo identifies a store.
type StoreInfo = store.StoreInfo

// StoreKind says how a store is reached.
type StoreKind = store.StoreKind

// The kinds of store.
const (
	StoreDaemon = store.StoreDaemon
	StoreRoot   = store.StoreRoot
)

// Abilities are what not every store can do: a [CRI], [BlobFiles], a [Disk]. A
// field is nil where a store cannot. A store that wraps another passes them on by
// embedding it.
type Abilities = store.Abilities

// CRI is what a containerd's CRI plugin shows of its images and pods.
type CRI = store.CRI

// BlobFiles are the files of a content store that this process sees.
type BlobFiles = store.BlobFiles

// Disk is the disk below a store.
type Disk = store.Disk

// OpenError says in one sentence why a store could not be opened, and what to
// do about it. Nothing was created or changed when it is returned.
//
// It matches one of containerd's errdefs with errors.Is:
//   - ErrInvalidArgument: the address cannot name a containerd's socket.
//   - ErrNotFound: there is no such socket or directory.
//   - ErrPermissionDenied: it is there, but not for this user.
//   - ErrUnavailable: nothing answers there, or another process holds it.
//   - ErrFailedPrecondition: what is there is not a store this package can work on.
type OpenError = store.OpenError
