package leases

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// LostPlan is the error of [Held] when all that can be read was read, but
// containerd knows plan blobs whose files are gone, as after a power failure:
// it syncs a blob's content and not its name.
type LostPlan struct{ Blobs []digest.Digest }

func (e *LostPlan) Error() string {
	return fmt.Sprintf("the files of the plan blobs %v are gone", e.Blobs)
}

// Held passes the documents that the run lease of the namespace of ctx holds
// to visit, one at a time and in no particular order, until visit fails. A
// lease taken by a run that was killed before it wrote its plan holds none; a
// document of which it wrote only some parts is not passed, for nothing was
// deleted yet. The error is a *[LostPlan] if that is all that went wrong.
func Held(ctx context.Context, manager leases.Manager, store content.Store, visit func(doc []byte) error) error {
	return visitPlans(ctx, manager, store, leases.Lease{ID: RunID}, visit)
}

// planReader reads the plan blobs of one lease.
type planReader struct {
	store content.Store
	visit func([]byte) error
	// parts are the blobs of the documents that were cut.
	parts map[part]content.Info
	lost  []digest.Digest
	errs  []error
}

func visitPlans(ctx context.Context, manager leases.Manager, store content.Store, lease leases.Lease, visit func([]byte) error) error {
	resources, err := manager.ListResources(ctx, lease)
	if err != nil {
		return fmt.Errorf("listing what lease %q holds: %w", lease.ID, err)
	}
	r := planReader{store: store, visit: visit, parts: make(map[part]content.Info)}
	for _, resource := range resources {
		if resource.Type != "content" {
			continue
		}
		if err := r.add(ctx, digest.Digest(resource.ID)); err != nil {
			return err
		}
	}
	for _, parts := range r.documents() {
		doc, err := join(parts, func(p part) ([]byte, error) { return r.read(ctx, r.parts[p]) })
		if err := r.pass(doc, err); err != nil {
			return err
		}
	}
	if len(r.errs) == 0 && len(r.lost) > 0 {
		return &LostPlan{r.lost}
	}
	return errors.Join(r.errs...)
}

// add takes note of a part of a plan, and passes a whole one on. What is gone
// or no plan is passed over.
func (r *planReader) add(ctx context.Context, dgst digest.Digest) error {
	info, err := r.store.Info(ctx, dgst)
	switch {
	case errdefs.IsNotFound(err) || err == nil && info.Labels[labelPlan] == "":
		return nil
	case err != nil:
		r.errs = append(r.errs, fmt.Errorf("looking up the plan blob %s: %w", dgst, err))
		return nil
	case info.Labels[labelPart] == "":
		return r.pass(r.read(ctx, info))
	}
	p, err := parsePart(info.Labels[labelPart])
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("plan blob %s: %w", dgst, err))
		return nil
	}
	r.parts[p] = info
	return nil
}

// pass hands a document on, or notes why it could not be read.
func (r *planReader) pass(doc []byte, err error) error {
	if err == nil {
		return r.visit(doc)
	}
	if gone := (*goneError)(nil); errors.As(err, &gone) {
		r.lost = append(r.lost, gone.blob)
	} else {
		r.errs = append(r.errs, err)
	}
	return nil
}

// documents lists the parts of those documents that are all there.
func (r *planReader) documents() [][]part {
	order := func(a, b part) int { return cmp.Or(cmp.Compare(a.doc, b.doc), a.of-b.of, a.at-b.at) }
	sorted := slices.SortedFunc(maps.Keys(r.parts), order)
	var whole [][]part
	for len(sorted) > 0 {
		first := sorted[0]
		n := slices.IndexFunc(sorted, func(p part) bool { return p.doc != first.doc || p.of != first.of })
		if n < 0 {
			n = len(sorted)
		}
		if n == first.of {
			whole = append(whole, sorted[:n])
		}
		sorted = sorted[n:]
	}
	return whole
}

// goneError is about a blob that containerd knows but whose file is gone.
type goneError struct {
	blob digest.Digest
	err  error
}

func (e *goneError) Error() string { return e.err.Error() }
func (e *goneError) Unwrap() error { return e.err }

// read reads one blob, as long as the store says that it is.
func (r *planReader) read(ctx context.Context, info content.Info) ([]byte, error) {
	if info.Size > MaxPart {
		return nil, fmt.Errorf("the plan blob %s has %d bytes, more than the %d it may have", info.Digest, info.Size, MaxPart)
	}
	blob, err := ReadBlob(ctx, r.store, info.Digest, info.Size)
	switch {
	case errdefs.IsNotFound(err):
		return nil, &goneError{info.Digest, err}
	case err != nil:
		return nil, fmt.Errorf("reading the plan blob %s: %w", info.Digest, err)
	}
	return blob, nil
}
