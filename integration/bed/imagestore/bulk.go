package imagestore

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Sizes of the images that Bulk makes.
const (
	bulkShared     = 3  // layers that a group of images has in common
	bulkOwn        = 2  // layers of each image alone
	bulkGroup      = 10 // images in a group
	bulkLayerBytes = 2 << 10
)

// Bulk adds n unpacked images of five small layers, three of them shared by
// ten images, named bulk.example/app-<n>:1, and returns their names.
func (s Store) Bulk(ctx context.Context, b *Builder, n int) ([]string, error) {
	return s.BulkMore(ctx, b, 0, n)
}

// BulkMore lets what Bulk made grow from so many images to n, with the same
// builder, and returns the names of those that it added.
func (s Store) BulkMore(ctx context.Context, b *Builder, from, n int) ([]string, error) {
	names := make([]string, n-from)
	for i := range names {
		names[i] = fmt.Sprintf("bulk.example/app-%05d:1", from+i)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(2 * runtime.NumCPU())
	for first := 0; first < len(names) && ctx.Err() == nil; first += bulkGroup {
		group := b.bulkGroup(names[first:min(first+bulkGroup, len(names))])
		g.Go(func() error { return s.addGroup(ctx, group) })
	}
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("filling the store with %d images: %w", n, err)
	}
	return names, nil
}

func (b *Builder) bulkGroup(names []string) []*Image {
	base := b.Image(Spec{Layers: bulkShared, LayerBytes: bulkLayerBytes})
	group := make([]*Image, len(names))
	for i, name := range names {
		group[i] = b.Image(Spec{Name: name, Base: base, Layers: bulkOwn, LayerBytes: bulkLayerBytes})
	}
	return group
}

// addGroup adds images one after the other, under one lease: in parallel they
// would race for the snapshots that they share.
func (s Store) addGroup(ctx context.Context, group []*Image) error {
	return s.leased(ctx, func(ctx context.Context) error {
		for _, img := range group {
			if err := s.add(ctx, img, nil); err != nil {
				return err
			}
		}
		return nil
	})
}
