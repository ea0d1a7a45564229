package nerdctl

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/opencontainers/image-spec/identity"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// Container is what `nerdctl create` is told.
type Container struct {
	ID, Name string
	// Image is the record that nerdctl found for what the user typed.
	Image string
	// Project and Service are compose's, if it made the container.
	Project, Service string
	// Mounts are images to mount, by what the user typed, each with the
	// record found for it.
	Mounts map[string]string
	// Labels are added, or replace others.
	Labels map[string]string
}

// Create makes a container from an image that is in the store: a snapshot
// named by its ID, the image's name, and labels.
func Create(ctx context.Context, s imagestore.Store, c Container) error {
	ctx = s.Context(ctx)
	image, err := s.Client.GetImage(ctx, c.Image)
	if err != nil {
		return fmt.Errorf("nerdctl create %s: %w", c.Name, err)
	}
	labels, err := c.labels(ctx, s)
	if err != nil {
		return fmt.Errorf("nerdctl create %s: %w", c.Name, err)
	}
	_, err = s.Client.NewContainer(ctx, c.ID,
		containerd.WithRuntime("io.containerd.runc.v2", nil),
		containerd.WithImageConfigLabels(image),
		containerd.WithImage(image),
		containerd.WithSnapshotter(s.Snapshotter),
		containerd.WithImageStopSignal(image, "SIGTERM"),
		containerd.WithNewSnapshot(c.ID, image),
		containerd.WithNewSpec(oci.WithProcessArgs("/bin/true")),
		containerd.WithAdditionalContainerLabels(labels),
	)
	if err != nil {
		return fmt.Errorf("nerdctl create %s: %w", c.Name, err)
	}
	return nil
}

// labels are nerdctl's own, compose's and the given ones.
func (c Container) labels(ctx context.Context, s imagestore.Store) (map[string]string, error) {
	labels := map[string]string{
		"nerdctl/name": c.Name, "nerdctl/namespace": s.Namespace,
		"nerdctl/hostname": c.ID[:min(12, len(c.ID))], "nerdctl/domainname": "",
		"nerdctl/extraHosts": "[]", "nerdctl/networks": `["bridge"]`,
		"nerdctl/state-dir":    "/var/lib/nerdctl/1935db59/containers/" + s.Namespace + "/" + c.ID,
		"nerdctl/platform":     "linux/amd64",
		"nerdctl/log-uri":      "binary:///usr/local/bin/nerdctl?_NERDCTL_INTERNAL_LOGGING=%2Fvar%2Flib%2Fnerdctl%2F1935db59",
		"nerdctl/auto-remove":  "false",
		"nerdctl/host-config":  "{}",
		"nerdctl/ipc":          `{"mode":"private"}`,
		"nerdctl/stop-timeout": "10",
	}
	if c.Project != "" {
		labels["com.docker.compose.project"], labels["com.docker.compose.service"] = c.Project, c.Service
	}
	if len(c.Mounts) > 0 {
		if err := c.mount(ctx, s, labels); err != nil {
			return nil, err
		}
	}
	for key, value := range c.Labels {
		labels[key] = value
	}
	return labels, nil
}

// mount makes a rooted view of each image to mount and labels the container
// with the views and the mounts.
func (c Container) mount(ctx context.Context, s imagestore.Store, labels map[string]string) error {
	var views []string
	for typed, record := range c.Mounts {
		key, err := view(ctx, s, c.ID, len(views), record)
		if err != nil {
			return err
		}
		mount, err := json.Marshal(map[string]any{
			"Type": "image", "Source": typed, "Destination": fmt.Sprintf("/mnt/%d", len(views)), "Mode": "ro", "RW": false,
		})
		if err != nil {
			return err
		}
		labels[fmt.Sprintf("nerdctl/mounts.%d", len(views))] = string(mount)
		views = append(views, key)
	}
	all, err := json.Marshal(views)
	labels["nerdctl/image-mount-snapshots"] = string(all)
	return err
}

func view(ctx context.Context, s imagestore.Store, id string, n int, record string) (string, error) {
	image, err := s.Client.GetImage(ctx, record)
	if err != nil {
		return "", err
	}
	chain, err := topSnapshot(ctx, image)
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%s%d-image-mount", id, n)
	rooted := snapshots.WithLabels(map[string]string{"containerd.io/gc.root": time.Now().UTC().Format(time.RFC3339)})
	_, err = s.Client.SnapshotService(s.Snapshotter).View(ctx, key, chain, rooted)
	return key, err
}

func topSnapshot(ctx context.Context, image containerd.Image) (string, error) {
	layers, err := image.RootFS(ctx)
	if err != nil {
		return "", err
	}
	return identity.ChainID(layers).String(), nil
}
