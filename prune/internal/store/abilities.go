package store

import (
	"context"
	"syscall"

	"github.com/opencontainers/go-digest"
)

// Abilities are what not every store can do. A field is nil where this one
// cannot. A store that wraps another passes its abilities on by embedding it.
type Abilities struct {
	CRI   CRI
	Files BlobFiles
	Disk  Disk
	Dirs  SnapshotterDirs
	Turns Turns
}

// Turns tell how long those wait who want to write to the store.
type Turns interface {
	// AwaitTurn returns when a client would have got to create a snapshot, and one
	// to write a blob. It writes nothing.
	AwaitTurn(ctx context.Context, snapshotter string) error
}

// BlobFiles are the files of the content store, as far as this process can see
// them.
type BlobFiles interface {
	// ContentDir is the directory of the content store.
	ContentDir(ctx context.Context) (string, error)
	// BlobFileSize is in bytes. The error is fs.ErrNotExist for a blob that has
	// no file.
	BlobFileSize(ctx context.Context, dgst digest.Digest) (int64, error)
}

// SnapshotterDirs are the directories of snapshotters that this process sees.
type SnapshotterDirs interface {
	// SnapshotterDir is the root directory of a snapshotter. The error is
	// errdefs.ErrUnavailable where it cannot be seen from here, or where the
	// snapshotter does not name one.
	SnapshotterDir(ctx context.Context, snapshotter string) (string, error)
}

// Disk is the disk that the store is on.
type Disk interface {
	// TakesNothing says why nothing can be written to the disk; ok is false if
	// something can, or if that is unknown.
	TakesNothing(ctx context.Context) (why syscall.Errno, ok bool)
}

// CRI is containerd's CRI plugin: its view of images and pods. It keeps lists
// of its own, fed by containerd's events. Errors are errdefs.ErrNotImplemented
// where no CRI plugin runs.
type CRI interface {
	Images(ctx context.Context) ([]CRIImage, error)
	// Image returns the image of a name in its full spelling or of an image
	// ID; ok is false if CRI has none.
	Image(ctx context.Context, name string) (image CRIImage, ok bool, err error)
	// PodSandboxes are all that CRI has. The error is another one before it has
	// read its state.
	PodSandboxes(ctx context.Context) ([]CRISandbox, error)
	// Runs says whether a container has a process.
	Runs(ctx context.Context, id string) (bool, error)
	// Pins is empty where no CRI runs. An error of kind errdefs.ErrUnavailable
	// says that CRI works, but that what it is configured with cannot be learned
	// from here.
	Pins(ctx context.Context) (CRIPins, error)
}

// CRIImage is an image as CRI shows it: the digest of its config, and its tags
// and digests in their full spelling.
type CRIImage struct {
	ID   string
	Refs []string
}

// CRISandbox is a sandbox as CRI shows it.
type CRISandbox struct {
	PodSandbox
	Ready bool
}

// CRIPins are the images that the configuration of CRI pins, in its own
// spelling, by what CRI uses them for. CRI labels a record only if its name is
// spelled as the configuration spells it (2.x), so that a short name or one
// without a tag leaves no trace in the store.
type CRIPins map[string][]string

// PinSandbox is the image without which CRI starts no pod.
const PinSandbox = "sandbox"
