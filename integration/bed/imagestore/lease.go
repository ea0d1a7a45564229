package imagestore

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// LeaseSpec describes a lease to make.
type LeaseSpec struct {
	ID string
	// Expires is when the lease ends; zero means never. The past is allowed.
	Expires time.Time
	// Flat leases hold their resources, not what those refer to.
	Flat      bool
	Labels    map[string]string
	Resources []leases.Resource
}

// leaseTries bounds how often an expired lease is made again: each time a
// collection of the daemon's own came between its creation and its resources.
const leaseTries = 100

// Lease makes a lease with its resources. A collection may take one that has
// expired before it has all of them: it is made again then.
func (s Store) Lease(ctx context.Context, spec LeaseSpec) (err error) {
	for range leaseTries {
		err = s.makeLease(s.Context(ctx), spec)
		expired := !spec.Expires.IsZero() && !spec.Expires.After(time.Now())
		if !expired || !errdefs.IsNotFound(err) {
			return err
		}
	}
	return err
}

func (s Store) makeLease(ctx context.Context, spec LeaseSpec) error {
	lm := s.Client.LeasesService()
	l, err := lm.Create(ctx, leases.WithID(spec.ID), leases.WithLabels(spec.labels()))
	if err != nil {
		return fmt.Errorf("creating lease %q: %w", spec.ID, err)
	}
	for _, r := range spec.Resources {
		if err := lm.AddResource(ctx, l, r); err != nil {
			return fmt.Errorf("adding %s %s to lease %q: %w", r.Type, r.ID, spec.ID, err)
		}
	}
	return nil
}

func (spec LeaseSpec) labels() map[string]string {
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	if !spec.Expires.IsZero() {
		labels["containerd.io/gc.expire"] = spec.Expires.UTC().Format(time.RFC3339)
	}
	if spec.Flat {
		labels["containerd.io/gc.flat"] = time.Unix(0, 0).UTC().Format(time.RFC3339)
	}
	return labels
}

// HistoryLease makes a lease as the history of buildkit 0.11 does, beside what
// was built: no expiry, and the image's config as its one resource.
func (s Store) HistoryLease(ctx context.Context, build string, img *Image) error {
	return s.Lease(ctx, LeaseSpec{ID: HistoryID(build), Resources: []leases.Resource{ContentResource(img.Config.Desc.Digest)}})
}

// HistoryID is the ID of the lease for a build: buildkit calls it by 25 digits
// and letters, of which the name given here is the beginning.
func HistoryID(build string) string {
	const length = 25
	name := strings.ReplaceAll(build, "-", "")
	return "ref_" + name + strings.Repeat("z", max(0, length-len(name)))
}

// RunLease makes the lease that is the lock of a run of ctr-prune, which expires
// in an hour: of one that lasts as long as this process, or of one that was killed
// before the machine was started anew.
func (s Store) RunLease(ctx context.Context, run string, killed bool) error {
	owner := map[string]any{"pid": os.Getpid(), "host": "node"}
	if killed {
		owner["boot"] = "another boot"
	}
	text, err := json.Marshal(owner)
	if err != nil {
		return err
	}
	return s.Lease(ctx, LeaseSpec{
		ID: "ctr-prune", Expires: time.Now().Add(time.Hour),
		Labels: map[string]string{"ctr-prune/run": run, "ctr-prune/owner": string(text)},
	})
}

// PullLease makes the lease of a pull that was interrupted: it ends in a day
// and holds the blobs so far, which no record names.
func (s Store) PullLease(ctx context.Context, id string, expires time.Time, img *Image) error {
	var held []leases.Resource
	for _, b := range img.Blobs() {
		held = append(held, ContentResource(b.Desc.Digest))
	}
	// Under another lease until this one is whole: a collection may come at
	// any moment.
	return s.leased(ctx, func(ctx context.Context) error {
		if err := s.write(ctx, img.nameless(), nil); err != nil {
			return err
		}
		return s.Lease(ctx, LeaseSpec{ID: id, Expires: expires, Resources: held})
	})
}

// nameless returns the image without a default name: Write records nothing.
func (i *Image) nameless() *Image {
	c := *i
	c.Name = ""
	return &c
}

// ContentResource is a blob as a lease's resource.
func ContentResource(d digest.Digest) leases.Resource {
	return leases.Resource{ID: d.String(), Type: "content"}
}

// SnapshotResource is a snapshot as a lease's resource.
func (s Store) SnapshotResource(key string) leases.Resource {
	return leases.Resource{ID: key, Type: "snapshots/" + s.Snapshotter}
}

// DropLease deletes a lease; sync also collects garbage, on a daemon.
func (s Store) DropLease(ctx context.Context, id string, sync bool) error {
	var opts []leases.DeleteOpt
	if sync {
		opts = append(opts, leases.SynchronousDelete)
	}
	if err := s.Client.LeasesService().Delete(s.Context(ctx), leases.Lease{ID: id}, opts...); err != nil {
		return fmt.Errorf("deleting lease %q: %w", id, err)
	}
	return nil
}

// Ingest leaves an upload half done, as an interrupted pull does. It returns
// the digest that the upload expects, which is not in the store.
func (s Store) Ingest(ctx context.Context, ref string, data []byte) (digest.Digest, error) {
	ctx = s.Context(ctx)
	want := digest.FromBytes(data)
	w, err := s.Client.ContentStore().Writer(ctx, content.WithRef(ref),
		content.WithDescriptor(ocispec.Descriptor{Digest: want, Size: int64(len(data))}))
	if err != nil {
		return "", fmt.Errorf("opening upload %q: %w", ref, err)
	}
	_, err = bytes.NewReader(data[:len(data)/2]).WriteTo(w)
	if err := errors.Join(err, w.Close()); err != nil {
		return "", fmt.Errorf("writing half of upload %q: %w", ref, err)
	}
	return want, nil
}

// Collect makes a daemon collect garbage now and waits for the end. It does
// so by a lease that it deletes synchronously.
func (s Store) Collect(ctx context.Context) error {
	const id = "collect-now"
	if err := s.Lease(ctx, LeaseSpec{ID: id}); err != nil {
		return fmt.Errorf("collecting: %w", err)
	}
	return s.DropLease(ctx, id, true)
}
