package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/containerd/platforms"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// Sizes of layers, and ages of images.
const (
	small  = 1 << 20
	medium = 3 << 20
	large  = 6 << 20

	hours  = 5 * time.Hour
	days   = 12 * 24 * time.Hour
	months = 70 * 24 * time.Hour
)

// exhibit is an image of the demonstration.
type exhibit struct {
	names []string
	image *imagestore.Image
	age   time.Duration
	// stays says that the image must be there in the end.
	stays bool
}

// fill makes the store and returns the names that must be left in the end.
func (d demo) fill(ctx context.Context) (want []string, err error) {
	e, err := d.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	store := e.Store("default")
	all := exhibits(imagestore.New(1))
	for i, x := range all {
		fmt.Printf("#   %d of %d: %s\n", i+1, len(all), x.names[0])
		if err := d.put(ctx, e, store, x); err != nil {
			return nil, err
		}
		if x.stays {
			want = append(want, x.names...)
		}
	}
	if err := occupy(ctx, store, all); err != nil {
		return nil, err
	}
	if d.archive != nil {
		fmt.Printf("#   and yours, %s\n", d.archive.path)
		return want, d.importArchive(ctx, e, store)
	}
	return want, nil
}

func (d demo) open(ctx context.Context) (*imagestore.Embedded, error) {
	if err := os.MkdirAll(filepath.Dir(d.root), 0o755); err != nil {
		return nil, err
	}
	snapshotter := "native" // works for everybody
	if os.Geteuid() == 0 && overlayutils.Supported(filepath.Dir(d.root)) == nil {
		snapshotter = "overlayfs"
	}
	return imagestore.OpenEmbedded(ctx, d.root, snapshotter)
}

// put adds an image as if that had happened long ago.
func (d demo) put(ctx context.Context, e *imagestore.Embedded, store imagestore.Store, x exhibit) error {
	then := d.now.Add(-x.age)
	if err := store.At(then).Add(ctx, x.image, x.names...); err != nil {
		return err
	}
	return e.Backdate(store.Namespace, then, x.image.Digests()...)
}

// exhibits makes the images: versions of two services over one base, what a
// build left without a name, an image of which one platform is here.
func exhibits(b *imagestore.Builder) []exhibit {
	system := b.Image(imagestore.Spec{Layers: 2, LayerBytes: large})
	service := func() *imagestore.Image {
		return b.Image(imagestore.Spec{Base: system, Layers: 1, LayerBytes: medium})
	}
	one := func(name string, image *imagestore.Image, age time.Duration, stays bool) exhibit {
		return exhibit{[]string{name}, image, age, stays}
	}
	nameless := service()
	return []exhibit{
		one("shop.example/base:12", system, months, false),
		one("shop.example/web:1.0", service(), months, false),
		one("shop.example/web:1.1", service(), days, false),
		{[]string{"shop.example/web:1.2", "shop.example/web:latest"}, service(), hours, true},
		one("shop.example/api:1.0", service(), months, true), // the container api-1 runs it
		one("shop.example/api:2.0-rc1", service(), days, false),
		one(imagestore.NoneDangling(nameless.Target.Digest), nameless, days, false),
		one("tools.example/debugger:3", multiPlatform(b), months, false),
		one("tools.example/pause:3.10", b.Image(imagestore.Spec{LayerBytes: small}), months, true), // pinned
		one("ci.example/build:42", b.Image(imagestore.Spec{Layers: 2, LayerBytes: medium}), days, false),
	}
}

// multiPlatform makes an index of which a pull brought only this machine's
// platform.
func multiPlatform(b *imagestore.Builder) *imagestore.Image {
	other := ocispec.Platform{OS: "linux", Architecture: "riscv64"}
	if platforms.DefaultSpec().Architecture == other.Architecture {
		other.Architecture = "amd64"
	}
	return b.Index(imagestore.IndexSpec{
		Manifests: []*imagestore.Image{b.Image(imagestore.Spec{Layers: 2, LayerBytes: medium})},
		Missing:   []*imagestore.Image{b.Image(imagestore.Spec{Platform: &other})},
		Attest:    true,
	})
}

// occupy adds what keeps images: a container, a pin, and a build's lease.
func occupy(ctx context.Context, store imagestore.Store, all []exhibit) error {
	image := make(map[string]*imagestore.Image)
	for _, x := range all {
		image[x.names[0]] = x.image
	}
	const api, pause, build = "shop.example/api:1.0", "tools.example/pause:3.10", "ci.example/build:42"
	return errors.Join(
		store.NerdctlContainer(ctx, "5a7d9f3b2c10", "api-1", api, image[api]),
		store.Pin(ctx, pause),
		store.Lease(ctx, imagestore.LeaseSpec{ID: "nightly-build", Resources: []leases.Resource{
			imagestore.ContentResource(image[build].Target.Digest),
		}}),
	)
}

// check compares the names that are left with those that should be.
func (d demo) check(ctx context.Context, want []string) (err error) {
	e, err := d.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	store := e.Store("default")
	list, err := store.Client.ImageService().List(store.Context(ctx))
	if err != nil {
		return err
	}
	left := make(map[string]digest.Digest)
	for _, image := range list {
		left[image.Name] = image.Target.Digest
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(left))); diff != "" {
		return fmt.Errorf("the wrong images are left (-want +got):\n%s", diff)
	}
	return nil
}
