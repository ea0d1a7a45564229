package imagestore

import (
	"context"
	"encoding/json"
	"fmt"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
)

// The extension in which CRI keeps what it knows about a container, and the
// type it registers for it.
const (
	criExtension = "io.cri-containerd.container.metadata"
	criType      = "github.com/containerd/cri/pkg/store/container/Metadata"
)

// WithCRIMetadata adds CRI's extension to a container: imageRef is the image
// ID (config digest) that the pod runs, whatever the Image field says.
func WithCRIMetadata(name, sandboxID, imageRef string) containerd.NewContainerOpts {
	return func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		value, err := json.Marshal(map[string]any{
			"Version": "v1",
			"Metadata": map[string]any{
				"ID": c.ID, "Name": name, "SandboxID": sandboxID, "ImageRef": imageRef,
				"Config": map[string]any{"metadata": map[string]any{"name": name}},
			},
		})
		if err != nil {
			return err
		}
		return WithExtension(criExtension, criType, value)(nil, nil, c)
	}
}

// WithExtension adds an extension as it is, whole or garbled.
func WithExtension(key, typeURL string, value []byte) containerd.NewContainerOpts {
	return func(_ context.Context, _ *containerd.Client, c *containers.Container) error {
		if c.Extensions == nil {
			c.Extensions = map[string]typeurl.Any{}
		}
		c.Extensions[key] = rawAny{typeURL, value}
		return nil
	}
}

// rawAny is a typeurl.Any whose value need not decode.
type rawAny struct {
	typeURL string
	value   []byte
}

func (a rawAny) GetTypeUrl() string { return a.typeURL }
func (a rawAny) GetValue() []byte   { return a.value }

// CRIContainer makes a container record as CRI does, in namespace k8s.io. Its
// Image field is imageName; the extension holds of's image ID.
func (s Store) CRIContainer(ctx context.Context, id, imageName string, of *Image) error {
	err := s.Container(ctx, ContainerSpec{
		ID: id, Image: imageName, Of: of,
		Labels: map[string]string{
			"io.cri-containerd.kind":       "container",
			"io.kubernetes.container.name": "app",
			"io.kubernetes.pod.name":       "api",
			"io.kubernetes.pod.namespace":  "default",
		},
	}, WithCRIMetadata("app", "sandbox-of-"+id, of.Config.Desc.Digest.String()))
	if err != nil {
		return fmt.Errorf("as CRI: %w", err)
	}
	return nil
}
