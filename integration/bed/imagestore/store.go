package imagestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/epoch"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Store is one namespace of a containerd store. It is a small value: copy it
// and change a field to fill another namespace.
type Store struct {
	Client      *containerd.Client
	Namespace   string
	Snapshotter string
	// RecordTime, when set, becomes the CreatedAt and UpdatedAt of records
	// instead of the present, as a build with SOURCE_DATE_EPOCH does.
	RecordTime time.Time
}

// In returns the store for another namespace.
func (s Store) In(namespace string) Store {
	s.Namespace = namespace
	return s
}

// At returns the store with records dated t.
func (s Store) At(t time.Time) Store {
	s.RecordTime = t
	return s
}

// Context returns ctx with the store's namespace.
func (s Store) Context(ctx context.Context) context.Context {
	ctx = namespaces.WithNamespace(ctx, s.Namespace)
	if !s.RecordTime.IsZero() {
		ctx = epoch.WithSourceDateEpoch(ctx, &s.RecordTime)
	}
	return ctx
}

// Add writes the image's blobs, labelled and under a lease as a pull does,
// makes its records and unpacks it. It is the usual way in, and faster than
// [Store.Import]. Without names the image's own is used.
func (s Store) Add(ctx context.Context, img *Image, names ...string) error {
	return s.leased(ctx, func(ctx context.Context) error { return s.add(ctx, img, names) })
}

func (s Store) add(ctx context.Context, img *Image, names []string) error {
	if err := s.write(ctx, img, names); err != nil {
		return err
	}
	return s.Unpack(ctx, img)
}

// Write is Add without unpacking. An image that lacks blobs can be written.
func (s Store) Write(ctx context.Context, img *Image, names ...string) error {
	return s.leased(ctx, func(ctx context.Context) error { return s.write(ctx, img, names) })
}

// leased calls fn under a lease that holds all that fn adds to the store.
func (s Store) leased(ctx context.Context, fn func(ctx context.Context) error) error {
	ctx, done, err := s.Client.WithLease(s.Context(ctx))
	if err != nil {
		return fmt.Errorf("leasing: %w", err)
	}
	return errors.Join(fn(ctx), done(ctx))
}

func (s Store) write(ctx context.Context, img *Image, names []string) error {
	if img.err != nil {
		return img.err
	}
	for _, b := range img.Blobs() {
		if err := s.writeBlob(ctx, b); err != nil {
			return err
		}
	}
	if len(names) == 0 && img.Name != "" {
		names = []string{img.Name}
	}
	for _, name := range names {
		if err := s.record(ctx, name, img.Target, nil); err != nil {
			return err
		}
	}
	return nil
}

// record makes a record or moves an existing one.
func (s Store) record(ctx context.Context, name string, target ocispec.Descriptor, labels map[string]string) error {
	target.Platform = nil
	rec := images.Image{Name: name, Target: target, Labels: labels}
	_, err := s.Client.ImageService().Create(ctx, rec)
	if errdefs.IsAlreadyExists(err) {
		_, err = s.Client.ImageService().Update(ctx, rec, "target")
	}
	if err != nil {
		return fmt.Errorf("recording image %.80q: %w", name, err)
	}
	return nil
}

// Services are containerd's, of a store that is open in this process.
type Services interface {
	Images() images.Store
	Content() content.Store
	Containers() containers.Store
	Leases() leases.Manager
	Sandboxes() sandbox.Store
	Snapshotter(name string) snapshots.Snapshotter
}

// Over returns a client of a store in this process, for a [Store]. It has no
// Version, Introspection, Events or Tasks, and nothing to close.
func Over(s Services, snapshotters ...string) (*containerd.Client, error) {
	loaded := make(map[string]snapshots.Snapshotter, len(snapshotters))
	for _, name := range snapshotters {
		loaded[name] = s.Snapshotter(name)
	}
	return containerd.New("", containerd.WithServices(
		containerd.WithContentStore(s.Content()),
		containerd.WithImageStore(s.Images()),
		containerd.WithContainerStore(s.Containers()),
		containerd.WithSandboxStore(s.Sandboxes()),
		containerd.WithLeasesService(s.Leases()),
		containerd.WithSnapshotters(loaded),
		containerd.WithDiffService(dirApplier{content: s.Content()}),
	))
}
