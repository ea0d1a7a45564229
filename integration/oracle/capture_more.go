package oracle

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

func (n *Namespace) readContainers(ctx context.Context, src Source) error {
	list, err := src.Client.ContainerService().List(ctx)
	n.Containers = byKey(list, func(c containers.Container) string { return c.ID })
	return err
}

func (n *Namespace) readSnapshots(ctx context.Context, src Source) error {
	n.Snapshots = map[SnapshotKey]snapshots.Info{}
	for _, name := range src.Snapshotters {
		err := src.Client.SnapshotService(name).Walk(ctx, func(_ context.Context, i snapshots.Info) error {
			n.Snapshots[SnapshotKey{name, i.Name}] = i
			return nil
		})
		if err != nil {
			return fmt.Errorf("walking snapshotter %s: %w", name, err)
		}
	}
	return nil
}

func (n *Namespace) readSandboxes(ctx context.Context, src Source) error {
	list, err := src.Client.SandboxStore().List(ctx)
	if errdefs.IsNotImplemented(err) { // servers before 1.7
		return nil
	}
	n.Sandboxes = map[string]map[string]string{}
	for _, s := range list {
		n.Sandboxes[s.ID] = s.Labels
	}
	return err
}

func blobDir(root string) string {
	return filepath.Join(root, "io.containerd.content.v1.content", "blobs")
}

func blobFile(root string, d digest.Digest) string {
	return filepath.Join(blobDir(root), d.Algorithm().String(), d.Encoded())
}

// blobFiles lists the blobs on disk, known to the metadata or not.
func blobFiles(root string) (map[digest.Digest]int64, error) {
	out := map[digest.Digest]int64{}
	err := filepath.WalkDir(blobDir(root), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		fi, err := e.Info()
		if err != nil {
			return err
		}
		algorithm := digest.Algorithm(filepath.Base(filepath.Dir(path)))
		out[digest.NewDigestFromEncoded(algorithm, e.Name())] = fi.Size()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing blob files: %w", err)
	}
	return out, nil
}

// DiskFreed returns the bytes of the blob files that are gone, by their
// apparent size. Files that were added meanwhile do not count.
func DiskFreed(before, after *State) int64 {
	var sum int64
	for d, size := range before.Files {
		if _, ok := after.Files[d]; !ok {
			sum += size
		}
	}
	return sum
}
