package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

const (
	// criTimeout is how long CRI may take to notice a record: it follows
	// events within milliseconds, in their order.
	criTimeout = 5 * time.Second
	criPause   = 2 * time.Millisecond
	// labelProbe is on the records that are made only for CRI to see. If a
	// killed run leaves one, it counts as dangling, and a containerd that
	// collects expired records (2.0 and later) takes it.
	labelProbe    = "ctr-prune/probe"
	probeLifetime = 10 * time.Minute
)

// phantom is a reference that CRI would go on showing, with its image, when
// all records of the image are gone.
//
// CRI spells out the references of an image in full, but when a record is
// deleted it looks for the name as it was ("nginx:1", "overlayfs@sha256:…"),
// does not find it, and keeps the image in its list until containerd is
// restarted (internal/cri/store/image: add sorts and so normalizes, delete
// subtracts the bare name). A record of the full name, made and deleted
// again, takes the reference away.
type phantom struct {
	ref    string
	target digest.Digest
}

// exorcise makes CRI let go of the references that the deletion of the
// records would leave behind. It returns the records that may be deleted
// without a phantom of their image staying; the others are skipped. When
// deleting has to end, it returns what will not be tried.
func (x *execution) exorcise(ctx context.Context, b batch, records []Decision) []Decision {
	cri := x.store.Abilities().CRI
	if cri == nil || b.ns.Name != criNamespace || len(records) == 0 || ctx.Err() != nil {
		return records
	}
	shown, err := cri.Images(ctx)
	if errdefs.IsNotImplemented(err) {
		return records // no CRI plugin runs: nobody keeps a list
	}
	stuck := make(map[digest.Digest]Cause)
	if err != nil {
		if x.lost(ctx, err) {
			return records // none of them will be tried
		}
		x.fail(err)
		for _, d := range records {
			stuck[d.Target.Digest] = plainly(codeCRIUnknown)
		}
	}
	x.layAllToRest(ctx, cri, phantoms(b.ns, parseVersion(x.plan.inventory.Store.Version), shown, records), records, stuck)
	return slices.DeleteFunc(records, func(d Decision) bool {
		why, isStuck := stuck[d.Target.Digest]
		if isStuck {
			x.report.skip(d, why)
		}
		return isStuck
	})
}

// layAllToRest lays phantoms to rest until deleting has to end, and notes why
// images cannot go. A CRI that takes no note of one record takes none of the
// others, and to wait for each would take longer than the run lease lasts.
func (x *execution) layAllToRest(ctx context.Context, cri CRI, all []phantom, records []Decision, stuck map[digest.Digest]Cause) {
	var deaf error
	for i, p := range all {
		if ctx.Err() != nil || x.late() {
			return
		}
		err := deaf
		if deaf == nil {
			// Each probe has a name of its own: CRI may still have the last one.
			probe := fmt.Sprintf("ctr-prune.invalid/probe:%s-%d", x.run.Name, i)
			err = x.layToRest(ctx, cri, p, probe, records)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil || deaf == nil && x.lost(ctx, err) {
			return
		}
		stuck[p.target] = because(codeCRIShows, parts{Name: p.ref, Detail: err.Error()})
		if unheard := (*unheardError)(nil); deaf == nil && errors.As(err, &unheard) {
			deaf = unheard
			x.fail(fmt.Errorf("images stay in namespace %q which CRI would go on showing: %w", criNamespace, unheard))
		}
	}
}

// phantoms lists the references that CRI has for images of which records go,
// and that are neither one of its records nor the full spelling of one that
// stays. A name that another image has by now is among them. CRI shows only
// tags and digests of what it has; the rest follows from the records.
func phantoms(ns *Namespace, v release, shown []CRIImage, records []Decision) []phantom {
	c := newCatalog(ns, v)
	going := make(map[string]bool, len(records))
	for _, d := range records {
		going[d.Name] = true
	}
	var found []phantom
	for _, image := range shown {
		var target digest.Digest
		sound := make(map[string]bool)
		refs := slices.Clone(image.Refs)
		for _, record := range c.shownAs(image) {
			sound[record.Name] = true
			if going[record.Name] {
				target = record.Target.Digest
				refs = append(refs, fullSpelling(record.Name))
			} else {
				sound[fullSpelling(record.Name)] = true
			}
		}
		for _, ref := range refs {
			if target != "" && !sound[ref] {
				sound[ref] = true
				found = append(found, phantom{ref: ref, target: target})
			}
		}
	}
	return found
}

// shownAs returns the records that CRI shows as one image: those whose target
// reaches its config, or is that of the record which CRI makes of its ID.
func (c *catalog) shownAs(image CRIImage) []*images.Image {
	units := c.containing(digest.Digest(image.ID))
	for _, record := range c.named[image.ID] {
		if u := c.units[record.Target.Digest]; !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
	var records []*images.Image
	for _, u := range units {
		records = append(records, u.records...)
	}
	return records
}

// fullSpelling is what CRI makes of a record's name when it sorts references.
func fullSpelling(name string) string {
	ref, err := reference.ParseAnyReference(name)
	if err != nil {
		return name
	}
	return ref.String()
}

// layToRest makes a record of a phantom's name and, when CRI has seen it,
// deletes it. That is known from a second record, the probe, made after it:
// CRI handles events in their order, and finds the probe by its name, which it
// does not for every name that it has. The run lease holds the image
// meanwhile.
func (x *execution) layToRest(ctx context.Context, cri CRI, p phantom, probe string, records []Decision) (err error) {
	i := slices.IndexFunc(records, func(d Decision) bool { return d.Target.Digest == p.target })
	for _, name := range []string{p.ref, probe} {
		made := images.Image{Name: name, Target: records[i].Target, Labels: x.probeLabels()}
		if _, err := x.store.Images().Create(ctx, made); err != nil {
			return fmt.Errorf("making a record of that name: %w", err)
		}
		// What was made is unmade, whatever happens and however hurried.
		defer func() {
			if left := x.unmake(ctx, made); left != nil {
				x.fail(left)
				err = errors.Join(err, left)
			}
		}()
	}
	if err := awaitCRI(ctx, cri, probe); err != nil {
		return &unheardError{err}
	}
	return nil
}

// unheardError says that CRI did not take note of a record.
type unheardError struct{ err error }

func (e *unheardError) Error() string { return e.err.Error() }
func (e *unheardError) Unwrap() error { return e.err }

// probeLabels has CRI's own label, so that it need not write it.
func (x *execution) probeLabels() map[string]string {
	return map[string]string{
		labelManaged: valueManaged,
		labelProbe:   x.run.Name,
		labelExpire:  x.opts.Now().Add(probeLifetime).UTC().Format(time.RFC3339),
	}
}

func (x *execution) unmake(ctx context.Context, made images.Image) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), criTimeout)
	defer cancel()
	err := x.store.Images().Delete(ctx, made.Name, images.DeleteTarget(&made.Target))
	if ignoreNotFound(err) != nil {
		return fmt.Errorf("removing image %q in namespace %q, which was made for CRI to see: %w", made.Name, criNamespace, err)
	}
	return nil
}

// awaitCRI waits until CRI finds an image by the name.
func awaitCRI(ctx context.Context, cri CRI, name string) error {
	ctx, cancel := context.WithTimeout(ctx, criTimeout)
	defer cancel()
	for {
		_, found, err := cri.Image(ctx, name)
		if err != nil || found {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it took no note of a new record: %w", ctx.Err())
		case <-time.After(criPause):
		}
	}
}
