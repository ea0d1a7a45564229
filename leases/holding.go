package leases

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	// MediaTypePlan is the media type of a plan blob.
	MediaTypePlan = "application/vnd.ctr-prune.plan.v1+json"
	// MaxTargets is how many targets one plan blob may name. A label costs
	// about 120 bytes on the wire, so a full blob stays near half a megabyte,
	// far below the 16 MiB that containerd accepts in one message even when
	// several such blobs are listed in one answer.
	MaxTargets = 4000
	// maxPlan bounds what is read back. A name or the labels of one record
	// can be as long as a message, and JSON may write six times that.
	maxPlan = 128 << 20

	labelContentRef = "containerd.io/gc.ref.content."
	labelPlan       = "ctr-prune/plan"
)

// Hold writes doc as a blob under the run lease, with labels that make
// containerd's collector follow it to each target. From its return until the
// run lease goes, nothing that a target reaches can be collected.
func Hold(ctx context.Context, store content.Store, doc []byte, targets []digest.Digest) error {
	if len(targets) > MaxTargets {
		return fmt.Errorf("a plan blob names %d targets, at most %d are allowed", len(targets), MaxTargets)
	}
	labels := map[string]string{labelPlan: "v1"}
	for i, target := range targets {
		labels[labelContentRef+strconv.Itoa(i)] = target.String()
	}
	desc := ocispec.Descriptor{MediaType: MediaTypePlan, Digest: digest.FromBytes(doc), Size: int64(len(doc))}
	ref := "ctr-prune-plan-" + desc.Digest.String()
	ctx = leases.WithLease(ctx, RunID)
	if err := writeOnce(ctx, store, ref, doc, desc, labels); err != nil {
		return fmt.Errorf("writing the plan blob %s: %w", desc.Digest, err)
	}
	return nil
}

// writeOnce does what content.WriteBlob does, but for its waiting: that takes
// every ErrUnavailable for an upload of the same name, which no plan has, and
// so waits for a containerd that has died until ctx ends.
func writeOnce(ctx context.Context, store content.Store, ref string, doc []byte, desc ocispec.Descriptor, labels map[string]string) (err error) {
	w, err := store.Writer(ctx, content.WithRef(ref), content.WithDescriptor(desc))
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return content.Copy(ctx, w, bytes.NewReader(doc), desc.Size, desc.Digest, content.WithLabels(labels))
}

// LostPlan is the error of [Held] when all that can be read was read, but
// containerd knows plan blobs whose files are gone, as after a power failure:
// it syncs a blob's content and not its name.
type LostPlan struct{ Blobs []digest.Digest }

func (e *LostPlan) Error() string {
	return fmt.Sprintf("the files of the plan blobs %v are gone", e.Blobs)
}

// Held returns the plan blobs that the run lease of the namespace of ctx
// holds, in no particular order. A lease taken by a run that was killed before
// it wrote its plan holds none. The error is a *[LostPlan] if that is all that
// went wrong.
func Held(ctx context.Context, manager leases.Manager, store content.Store) ([][]byte, error) {
	return plansOf(ctx, manager, store, leases.Lease{ID: RunID})
}

func plansOf(ctx context.Context, manager leases.Manager, store content.Store, lease leases.Lease) ([][]byte, error) {
	resources, err := manager.ListResources(ctx, lease)
	if err != nil {
		return nil, fmt.Errorf("listing what lease %q holds: %w", lease.ID, err)
	}
	var docs [][]byte
	var lost []digest.Digest
	var errs []error
	for _, resource := range resources {
		if resource.Type != "content" {
			continue
		}
		doc, err := readPlan(ctx, store, digest.Digest(resource.ID))
		switch {
		case errdefs.IsNotFound(err):
			lost = append(lost, digest.Digest(resource.ID))
		case err != nil:
			errs = append(errs, fmt.Errorf("reading the plan blob %s: %w", resource.ID, err))
		case doc != nil:
			docs = append(docs, doc)
		}
	}
	if len(errs) == 0 && len(lost) > 0 {
		return docs, &LostPlan{lost}
	}
	return docs, errors.Join(errs...)
}

// readPlan returns nil for a blob that is gone or is not a plan.
func readPlan(ctx context.Context, store content.Store, dgst digest.Digest) ([]byte, error) {
	info, err := store.Info(ctx, dgst)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Labels[labelPlan] == "" {
		return nil, nil
	}
	if info.Size > maxPlan {
		return nil, fmt.Errorf("it has %d bytes, more than the %d a plan may have", info.Size, maxPlan)
	}
	return ReadBlob(ctx, store, dgst, info.Size)
}

// ReadBlob reads size bytes of a blob. The size must come from the content
// store's Info, not from a manifest, and be checked by the caller.
func ReadBlob(ctx context.Context, store content.Provider, dgst digest.Digest, size int64) ([]byte, error) {
	if size < 0 {
		return nil, fmt.Errorf("its size is said to be %d: %w", size, errdefs.ErrDataLoss)
	}
	at, err := store.ReaderAt(ctx, ocispec.Descriptor{Digest: dgst, Size: size})
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	n, err := at.ReadAt(b, 0)
	if n == len(b) {
		err = nil // io.ReaderAt may report io.EOF along with a full read
	} else if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b[:n], errors.Join(err, at.Close())
}
