package imagestore

import (
	"context"
	"fmt"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/platforms"
)

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
