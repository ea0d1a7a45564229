package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	criPause      = 2 * time.Millisecond
	probeLifetime = 10 * time.Minute
)

// phantom is a reference that CRI would keep showing, with its image, after all
// records of the image were removed.
//
// CRI spells out the references of an image in full, but when a record is
// deleted it looks for the name as it was ("nginx:1", "overlayfs@sha256:…"),
// does not find it, and keeps the image in its list until containerd is
// restarted (internal/cri/store/image: add sorts and so normalizes, delete
// subtracts the bare name). A record of the full name, made and deleted
// again, takes the reference away.
type phantom struct {
	Ref    string
	target digest.Digest
}

// makeCRIForget makes CRI let go of the references that the deletion of the
// records would leave behind. It returns the records that may be deleted
// without a phantom of their image staying; the others are skipped. When
// deleting has to end, it returns what will not be tried.
func (x *Execution) makeCRIForget(ctx context.Context, b plan.Batch, records []rules.Decision) []rules.Decision {
	cri := x.Store.Abilities().CRI
	if cri == nil || b.Namespace.Name != store.CRINamespace || len(records) == 0 || ctx.Err() != nil {
		return records
	}
	shown, err := cri.Images(ctx)
	if errdefs.IsNotImplemented(err) {
		return records // no CRI plugin runs: nobody keeps a list
	}
	stuck := make(map[digest.Digest]cause.Cause)
	if err != nil {
		if x.lost(ctx, err) {
			return records // none of them will be tried
		}
		x.fail(cause.CodeCRIFailed, err)
		for _, d := range records {
			stuck[d.Target.Digest] = cause.Plainly(cause.CodeCRIUnknown)
		}
	}
	x.forgetAll(ctx, cri, Phantoms(b.Namespace, gc.ParseVersion(x.plan.Inventory.Store.Version), shown, records), records, stuck)
	return slices.DeleteFunc(records, func(d rules.Decision) bool {
		why, isStuck := stuck[d.Target.Digest]
		if isStuck {
			x.Report.skip(d, why)
		}
		return isStuck
	})
}

// forgetAll makes CRI forget phantoms until deleting has to end, and records
// why images cannot be removed. A CRI that does not notice one record does not
// notice the others either, and waiting for each would take longer than the run
// lease lasts.
func (x *Execution) forgetAll(ctx context.Context, cri store.CRI, all []phantom, records []rules.Decision, stuck map[digest.Digest]cause.Cause) {
	var unresponsive error
	for i, p := range all {
		if ctx.Err() != nil || x.late() {
			return
		}
		err := unresponsive
		if unresponsive == nil {
			// Each probe has a name of its own: CRI may still have the last one.
			probe := fmt.Sprintf("ctr-prune.invalid/probe:%s-%d", x.run.Name, i)
			err = x.forgetOne(ctx, cri, p, probe, records)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil || unresponsive == nil && x.lost(ctx, err) {
			return
		}
		stuck[p.target] = cause.Because(cause.CodeCRIShows, cause.Parts{Name: p.Ref, Detail: err.Error()})
		if silentErr := (*unresponsiveError)(nil); unresponsive == nil && errors.As(err, &silentErr) {
			unresponsive = silentErr
			x.fail(cause.CodeCRIUnresponsive, fmt.Errorf("images were kept in namespace %q because CRI would still show them: %w", store.CRINamespace, silentErr))
		}
	}
}

// Phantoms lists the references that CRI has for images of which records go,
// and that are neither one of its records nor the full spelling of one that
// stays. A name that another image has by now is among them. CRI shows only
// tags and digests of what it has; the rest follows from the records.
func Phantoms(ns *inventory.Namespace, v gc.Release, shown []store.CRIImage, records []rules.Decision) []phantom {
	c := rules.NewCatalog(ns, v)
	going := make(map[string]bool, len(records))
	for _, d := range records {
		going[d.Name] = true
	}
	var found []phantom
	for _, image := range shown {
		var target digest.Digest
		sound := make(map[string]bool)
		refs := slices.Clone(image.Refs)
		for _, record := range c.ShownAs(image) {
			sound[record.Name] = true
			if going[record.Name] {
				target = record.Target.Digest
				refs = append(refs, rules.FullSpelling(record.Name))
			} else {
				sound[rules.FullSpelling(record.Name)] = true
			}
		}
		for _, ref := range refs {
			if target != "" && !sound[ref] {
				sound[ref] = true
				found = append(found, phantom{Ref: ref, target: target})
			}
		}
	}
	return found
}

// forgetOne makes a record of a phantom's name and, when CRI has seen it,
// deletes it. That is known from a second record, the probe, made after it:
// CRI handles events in their order, and finds the probe by its name, which it
// does not for every name that it has. The run lease holds the image
// meanwhile.
func (x *Execution) forgetOne(ctx context.Context, cri store.CRI, p phantom, probe string, records []rules.Decision) (err error) {
	i := slices.IndexFunc(records, func(d rules.Decision) bool { return d.Target.Digest == p.target })
	for _, name := range []string{p.Ref, probe} {
		made := images.Image{Name: name, Target: records[i].Target, Labels: x.probeLabels()}
		if _, err := x.Store.Images().Create(ctx, made); err != nil {
			return fmt.Errorf("making a record of that name: %w", err)
		}
		// What was created is deleted again, whatever happens.
		defer func() {
			if left := x.unmake(ctx, made); left != nil {
				x.fail(cause.CodeProbeLeft, left)
				err = errors.Join(err, left)
			}
		}()
	}
	if err := AwaitCRI(ctx, cri, probe); err != nil {
		return &unresponsiveError{err}
	}
	return nil
}

// unresponsiveError says that CRI did not notice a change of a record.
type unresponsiveError struct{ err error }

func (e *unresponsiveError) Error() string { return e.err.Error() }
func (e *unresponsiveError) Unwrap() error { return e.err }

// probeLabels has CRI's own label, so that it need not write it.
func (x *Execution) probeLabels() map[string]string {
	return map[string]string{
		inventory.LabelManaged: inventory.ValueManaged,
		inventory.LabelProbe:   x.run.Name,
		gc.LabelExpire:         x.opts.Now().Add(probeLifetime).UTC().Format(time.RFC3339),
	}
}

func (x *Execution) unmake(ctx context.Context, made images.Image) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), store.CRITimeout)
	defer cancel()
	err := x.Store.Images().Delete(ctx, made.Name, images.DeleteTarget(&made.Target))
	if IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing image %q in namespace %q, which was made to notify CRI: %w", made.Name, store.CRINamespace, err)
	}
	return nil
}

// AwaitCRI waits until CRI finds an image by the name.
func AwaitCRI(ctx context.Context, cri store.CRI, name string) error {
	ctx, cancel := context.WithTimeout(ctx, store.CRITimeout)
	defer cancel()
	for {
		_, found, err := cri.Image(ctx, name)
		if err != nil || found {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it did not notice a new record: %w", ctx.Err())
		case <-time.After(criPause):
		}
	}
}
