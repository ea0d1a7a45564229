package imagestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// writeBlob writes under the blob's true size, whatever a descriptor claims.
// A blob that is there already gets the labels that it lacks.
func (s Store) writeBlob(ctx context.Context, b Blob) error {
	desc := ocispec.Descriptor{Digest: b.Desc.Digest, Size: int64(len(b.Data))}
	err := s.upload(ctx, desc, b)
	if errdefs.IsAlreadyExists(err) {
		err = s.relabel(ctx, b)
	}
	if err != nil {
		return fmt.Errorf("writing blob %s: %w", desc.Digest, err)
	}
	return nil
}

func (s Store) upload(ctx context.Context, desc ocispec.Descriptor, b Blob) error {
	w, err := content.OpenWriter(ctx, s.Client.ContentStore(),
		content.WithRef("write-"+desc.Digest.String()), content.WithDescriptor(desc))
	if err != nil {
		return err
	}
	err = content.Copy(ctx, w, bytes.NewReader(b.Data), desc.Size, desc.Digest, content.WithLabels(b.Labels))
	return errors.Join(err, w.Close())
}

func (s Store) relabel(ctx context.Context, b Blob) error {
	if len(b.Labels) == 0 {
		return nil
	}
	var fields []string
	for k := range b.Labels {
		fields = append(fields, "labels."+k)
	}
	_, err := s.Client.ContentStore().Update(ctx, content.Info{Digest: b.Desc.Digest, Labels: b.Labels}, fields...)
	return err
}

// Unpack makes the snapshots of each platform that is whole.
func (s Store) Unpack(ctx context.Context, img *Image) error {
	if img.err != nil {
		return img.err
	}
	ctx = s.Context(ctx)
	for _, m := range img.Manifests() {
		if !m.unpackable(img) {
			continue
		}
		rec := images.Image{Name: img.Name, Target: m.Target}
		i := containerd.NewImageWithPlatform(s.Client, rec, platforms.OnlyStrict(*m.Platform))
		if err := i.Unpack(ctx, s.Snapshotter); err != nil {
			return fmt.Errorf("unpacking %q (%s): %w", img.Name, m.Target.Digest, err)
		}
	}
	return nil
}

// unpackable says whether nothing that unpacking needs is absent from the
// image within its parent.
func (i *Image) unpackable(within *Image) bool {
	if i.Platform == nil || len(i.Layers) == 0 || within.Lacks(i.Config.Desc.Digest) {
		return false
	}
	for _, l := range i.Layers {
		if within.Lacks(l.Desc.Digest) || l.DiffID == "" {
			return false
		}
	}
	return true
}
