package imagestore

import (
	"context"
	"errors"
)

// A Sample is what a prune meets in a namespace, as small as can be: images on
// one base, of which some are in use and some are not.
type Sample struct {
	Base *Image
	// Used is in use by its name, ByDigest by its digest, and Built is held by
	// build history.
	Used, ByDigest, Built *Image
	// One and Two are unused, and One has two names.
	One, Two *Image
}

// Sample makes the images of a sample.
func (b *Builder) Sample() *Sample {
	base := b.Image(Spec{Name: "docker.io/library/base:1", LayerBytes: 2 << 10})
	on := func(name string) *Image {
		return b.Image(Spec{Name: "docker.io/library/" + name + ":1", Base: base, Layers: 1, LayerBytes: 2 << 10})
	}
	return &Sample{Base: base, Used: on("used"), ByDigest: on("by-digest"), Built: on("built"), One: on("one"), Two: on("two")}
}

// AddSample writes the images, or what is gone of them.
func (s Store) AddSample(ctx context.Context, sample *Sample) error {
	errs := []error{}
	for _, img := range []*Image{sample.Base, sample.Used, sample.ByDigest, sample.Built, sample.One, sample.Two} {
		errs = append(errs, s.Add(ctx, img))
	}
	return errors.Join(append(errs, s.Add(ctx, sample.One, sample.One.Name, "docker.io/library/alias:1"))...)
}

// UseSample makes the containers and the lease that hold images of the sample.
func (s Store) UseSample(ctx context.Context, sample *Sample) error {
	return errors.Join(
		s.NerdctlContainer(ctx, "used-by-name", "used", sample.Used.Name, sample.Used),
		s.Container(ctx, ContainerSpec{ID: "used-by-digest", Image: sample.ByDigest.Target.Digest.String(), Of: sample.ByDigest}),
		s.HistoryLease(ctx, "build", sample.Built),
	)
}
