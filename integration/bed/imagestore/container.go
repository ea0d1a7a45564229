package imagestore

import (
	"context"
	"fmt"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
)

// ContainerSpec describes a container record to make.
type ContainerSpec struct {
	ID string
	// Image becomes the record's Image field as it is: a name, a digest, an
	// ID, or nothing.
	Image string
	// Of is the image whose top snapshot the container's own, active one
	// stands on. Without it the container has no snapshot.
	Of *Image
	// SnapshotKey is ID unless set.
	SnapshotKey string
	Labels      map[string]string
}

// Container makes a container with an active snapshot as `ctr container
// create` does. It is a record: nothing runs.
func (s Store) Container(ctx context.Context, spec ContainerSpec, opts ...containerd.NewContainerOpts) error {
	ctx = s.Context(ctx)
	all := []containerd.NewContainerOpts{
		containerd.WithRuntime("io.containerd.runc.v2", nil),
		containerd.WithImageName(spec.Image),
		containerd.WithAdditionalContainerLabels(spec.Labels),
	}
	if spec.Of != nil {
		all = append(all, s.withSnapshot(spec))
	}
	all = append(all, containerd.WithNewSpec(oci.WithProcessArgs("/bin/true")))
	all = append(all, opts...)
	if _, err := s.Client.NewContainer(ctx, spec.ID, all...); err != nil {
		return fmt.Errorf("creating container %q: %w", spec.ID, err)
	}
	return nil
}

func (s Store) withSnapshot(spec ContainerSpec) containerd.NewContainerOpts {
	return func(ctx context.Context, client *containerd.Client, c *containers.Container) error {
		key := spec.SnapshotKey
		if key == "" {
			key = spec.ID
		}
		chain := spec.Of.ChainIDs()
		if len(chain) == 0 {
			return fmt.Errorf("image %q has no layers", spec.Of.Name)
		}
		parent := chain[len(chain)-1]
		if _, err := client.SnapshotService(s.Snapshotter).Prepare(ctx, key, parent); err != nil {
			return fmt.Errorf("preparing snapshot %q on %q: %w", key, parent, err)
		}
		c.Snapshotter, c.SnapshotKey = s.Snapshotter, key
		return nil
	}
}

// NerdctlContainer makes a container as nerdctl run does: the Image field is
// the full name, and labels carry nerdctl's own names.
func (s Store) NerdctlContainer(ctx context.Context, id, name, image string, of *Image) error {
	return s.Container(ctx, ContainerSpec{ID: id, Image: image, Of: of, Labels: map[string]string{
		"nerdctl/name":                           name,
		"nerdctl/namespace":                      s.Namespace,
		"nerdctl/hostname":                       id[:min(12, len(id))],
		"nerdctl/networks":                       `["bridge"]`,
		"nerdctl/platform":                       "linux/amd64",
		"nerdctl/state-dir":                      "/var/lib/nerdctl/1935db59/containers/" + s.Namespace + "/" + id,
		"io.containerd.image.config.stop-signal": "SIGTERM",
	}})
}

// RemoveContainer removes a container and its snapshot.
func (s Store) RemoveContainer(ctx context.Context, id string) error {
	ctx = s.Context(ctx)
	c, err := s.Client.ContainerService().Get(ctx, id)
	if err != nil {
		return fmt.Errorf("removing container %q: %w", id, err)
	}
	if err := s.Client.ContainerService().Delete(ctx, id); err != nil {
		return fmt.Errorf("removing container %q: %w", id, err)
	}
	if c.SnapshotKey == "" {
		return nil
	}
	// A collection that comes at this moment may have taken it.
	if err := s.Client.SnapshotService(c.Snapshotter).Remove(ctx, c.SnapshotKey); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("removing snapshot %q of container %q: %w", c.SnapshotKey, id, err)
	}
	return nil
}
