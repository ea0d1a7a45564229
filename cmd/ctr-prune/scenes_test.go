package main

import (
	"context"
	"errors"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/log"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// quietLogs keeps the warnings of containerd's packages out of the tests'
// output.
func quietLogs() { log.L.Logger.SetLevel(log.ErrorLevel) }

// scene puts things into a store.
type scene func(*imagestore.Embedded) error

func scenes() map[string]scene {
	return map[string]scene{
		"empty":   func(*imagestore.Embedded) error { return nil },
		"node":    node,
		"hostile": hostile,
		"k8s":     k8s,
		"built":   built,
		"again":   again,
	}
}

// node has images that share a base, two tags of one image, a dangling one,
// one used by name and one by digest.
func node(e *imagestore.Embedded) error {
	ctx, s, b := context.Background(), e.Store(text.DefaultNamespace), imagestore.New(1)
	image := func(name string, base *imagestore.Image) *imagestore.Image {
		return b.Image(imagestore.Spec{Name: name, Base: base, Layers: 1})
	}
	base := image("docker.io/library/base:1", nil)
	app := image("docker.io/library/app:1", base)
	web := image("docker.io/library/web:1", base)
	byID := image("docker.io/library/byid:1", nil)
	dangling := image("", base)
	dangling.Name = imagestore.NoneDangling(dangling.Target.Digest)
	var errs []error
	for _, img := range []*imagestore.Image{base, app, web, byID, dangling} {
		errs = append(errs, s.Add(ctx, img))
	}
	return errors.Join(append(errs,
		s.Tag(ctx, app.Name, "docker.io/library/app:latest"),
		s.NerdctlContainer(ctx, "0123456789abcdef", "web", web.Name, web),
		s.Container(ctx, imagestore.ContainerSpec{ID: "byid", Image: byID.Target.Digest.String(), Of: byID}),
	)...)
}

// hostile has records with names that no terminal should see.
func hostile(e *imagestore.Embedded) error {
	ctx, s, b := context.Background(), e.Store(text.DefaultNamespace), imagestore.New(2)
	var errs []error
	for _, name := range append(imagestore.HostileNames(), texttest.Evil) {
		errs = append(errs, s.Add(ctx, b.Image(imagestore.Spec{Name: name})))
	}
	used := b.Image(imagestore.Spec{Name: "used\x1b[2J:1"})
	errs = append(errs, s.Add(ctx, used), s.Lease(ctx, imagestore.LeaseSpec{ID: "ref_\x1b[31mlease", Resources: []leases.Resource{imagestore.ContentResource(used.Config.Desc.Digest)}}),
		s.Container(ctx, imagestore.ContainerSpec{ID: "c1", Image: used.Name, Labels: map[string]string{"nerdctl/name": "\x1b[5mblink\u202e"}}))
	return errors.Join(errs...)
}

// k8s has one image, as CRI keeps it.
func k8s(e *imagestore.Embedded) error {
	img := imagestore.New(3).Image(imagestore.Spec{Name: "registry.k8s.io/coredns:1.12"})
	return e.Store("k8s.io").Add(context.Background(), img, imagestore.CRINames("registry.k8s.io/coredns", "1.12", img)...)
}

// built has an image whose config a build history holds.
func built(e *imagestore.Embedded) error {
	ctx, s := context.Background(), e.Store(text.DefaultNamespace)
	img := imagestore.New(4).Image(imagestore.Spec{Name: "docker.io/library/built:1", Layers: 2})
	return errors.Join(s.Add(ctx, img), s.HistoryLease(ctx, "build", img))
}

// again has a name of the node in another namespace.
func again(e *imagestore.Embedded) error {
	img := imagestore.New(5).Image(imagestore.Spec{Name: "docker.io/library/app:1"})
	return e.Store("other").Add(context.Background(), img)
}
