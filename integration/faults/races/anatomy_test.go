package races

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// anatomy is what an image consists of.
type anatomy struct {
	blobs  []ocispec.Descriptor
	layers map[digest.Digest]bool
	// chain are the keys of its snapshots.
	chain []string
}

// of takes an image apart that the test made.
func of(img *imagestore.Image) anatomy {
	a := anatomy{layers: make(map[digest.Digest]bool), chain: img.ChainIDs()}
	for _, b := range img.Blobs() {
		a.blobs = append(a.blobs, b.Desc)
	}
	for _, l := range img.Layers {
		a.layers[l.Desc.Digest] = true
	}
	return a
}

// anatomy takes an image apart that the test or a builder made. A builder's is
// known by its own documents, as far as they are there.
func (r *race) anatomy(ctx context.Context, s imagestore.Store, target ocispec.Descriptor) (anatomy, error) {
	if img := r.byTarget[target.Digest]; img != nil {
		return of(img), nil
	}
	a := anatomy{layers: make(map[digest.Digest]bool)}
	err := a.read(s.Context(ctx), s.Client.ContentStore(), target)
	return a, err
}

// read adds what a descriptor names. What is not there names nothing, and is
// found missing with the rest.
func (a *anatomy) read(ctx context.Context, store content.Provider, desc ocispec.Descriptor) error {
	a.blobs = append(a.blobs, desc)
	switch {
	case images.IsLayerType(desc.MediaType):
		a.layers[desc.Digest] = true
		return nil
	case images.IsConfigType(desc.MediaType):
		ids, err := images.RootFS(ctx, store, desc)
		if err != nil {
			return unlessMissing(desc, err)
		}
		for _, id := range identity.ChainIDs(ids) {
			a.chain = append(a.chain, id.String())
		}
		return nil
	}
	children, err := images.Children(ctx, store, desc)
	if err != nil {
		return unlessMissing(desc, err)
	}
	for _, child := range children {
		if err := a.read(ctx, store, child); err != nil {
			return err
		}
	}
	return nil
}

func unlessMissing(desc ocispec.Descriptor, err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return fmt.Errorf("reading %s: %w", desc.Digest, err)
}

// lacks lists what of an image the namespace does not know.
func (a anatomy) lacks(ctx context.Context, s imagestore.Store) (blobs []digest.Digest, snapshots []string, err error) {
	digests := make([]digest.Digest, len(a.blobs))
	for i, b := range a.blobs {
		digests[i] = b.Digest
	}
	if blobs, err = missing(ctx, s, digests...); err != nil {
		return nil, nil, err
	}
	snapshots, err = missingSnapshots(ctx, s, a.chain)
	return blobs, snapshots, err
}

// onlyLayers says whether all the blobs are layers of the image.
func (a anatomy) onlyLayers(blobs []digest.Digest) bool {
	for _, d := range blobs {
		if !a.layers[d] {
			return false
		}
	}
	return true
}
