package imagestore

import (
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
)

// Services are containerd's, of a store that is open in this process.
type Services interface {
	Images() images.Store
	Content() content.Store
	Containers() containers.Store
	Leases() leases.Manager
	Sandboxes() sandbox.Store
	Snapshotter(name string) snapshots.Snapshotter
}

// Over returns a client of a store in this process, for a [Store]. It has no
// Version, Introspection, Events or Tasks, and nothing to close.
func Over(s Services, snapshotters ...string) (*containerd.Client, error) {
	loaded := make(map[string]snapshots.Snapshotter, len(snapshotters))
	for _, name := range snapshotters {
		loaded[name] = s.Snapshotter(name)
	}
	return containerd.New("", containerd.WithServices(
		containerd.WithContentStore(s.Content()),
		containerd.WithImageStore(s.Images()),
		containerd.WithContainerStore(s.Containers()),
		containerd.WithSandboxStore(s.Sandboxes()),
		containerd.WithLeasesService(s.Leases()),
		containerd.WithSnapshotters(loaded),
		containerd.WithDiffService(dirApplier{content: s.Content()}),
	))
}
