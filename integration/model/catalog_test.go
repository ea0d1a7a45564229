package model

import (
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// The names that records get: few, so that names meet.
var (
	repositories = []string{"docker.io/library/app", "docker.io/library/web", "example.com/team/api"}
	tags         = []string{"1", "2", "latest"}
)

// catalog is what there is to pull, build and import.
type catalog struct {
	images []*imagestore.Image
	// signatures are artifacts about the image of the same index.
	signatures map[int]*imagestore.Image
	// bundle is an archive of several images.
	bundle   *imagestore.Image
	pause    *imagestore.Image
	byTarget map[digest.Digest]*imagestore.Image
}

func newCatalog() *catalog {
	b := imagestore.New(7)
	small := func(s imagestore.Spec) *imagestore.Image {
		s.LayerBytes = 700
		return b.Image(s)
	}
	c := &catalog{signatures: map[int]*imagestore.Image{}, byTarget: map[digest.Digest]*imagestore.Image{}}
	bases := []*imagestore.Image{small(imagestore.Spec{Layers: 2}), small(imagestore.Spec{Layers: 1, Docker: true})}
	c.images = append(c.images, bases...)
	for i := range 5 {
		c.images = append(c.images, small(imagestore.Spec{
			Base: bases[i%2], Layers: 1 + i%2, Docker: i%2 == 1, Labels: map[string]string{"team": []string{"red", "blue"}[i%2]},
		}))
	}
	elsewhere := ocispec.Platform{OS: "linux", Architecture: "s390x"}
	c.images = append(c.images,
		b.Index(imagestore.IndexSpec{
			Manifests: []*imagestore.Image{small(imagestore.Spec{Base: bases[0], Layers: 1})},
			Missing:   []*imagestore.Image{small(imagestore.Spec{Layers: 1, Platform: &elsewhere})}, Attest: true,
		}),
		b.Index(imagestore.IndexSpec{Manifests: []*imagestore.Image{c.images[3], small(imagestore.Spec{Layers: 1, Platform: &elsewhere})}}),
	)
	c.images = append(c.images, c.images[4].WithReferrers(b.Signature("", c.images[4])))
	for i := range 3 { // only the configuration is another than that of a base
		c.images = append(c.images, b.Image(imagestore.Spec{Base: bases[i%2], Docker: i%2 == 1, Labels: map[string]string{"build": fmt.Sprint(i)}}))
	}
	for _, i := range []int{2, 5} {
		c.signatures[i] = b.Signature("", c.images[i])
	}
	c.pause = small(imagestore.Spec{Layers: 1})
	c.bundle = b.Index(imagestore.IndexSpec{Manifests: []*imagestore.Image{c.images[0], c.images[3], c.images[6]}})
	made := append(slices.Collect(maps.Values(c.signatures)), c.pause, c.bundle)
	for _, img := range append(made, c.images...) {
		if err := img.Err(); err != nil {
			panic(fmt.Sprintf("making the images: %v", err))
		}
		if c.byTarget[img.Target.Digest] == nil { // with referrers it is the same image
			c.byTarget[img.Target.Digest] = img
		}
	}
	return c
}

// native returns the manifest that runs on this machine, nil if there is none.
func native(img *imagestore.Image) *imagestore.Image {
	here := platforms.Default()
	for _, m := range img.Manifests() {
		if m.Platform != nil && here.Match(*m.Platform) && len(m.Layers) > 0 {
			return m
		}
	}
	return nil
}
