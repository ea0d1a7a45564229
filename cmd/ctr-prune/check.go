package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

const checkLong = `Look for what users find too late: images whose content is not all there, blobs
on the disk that containerd does not know or that it knows and are not there,
garbage, writable snapshots that nobody owns, leases that have expired,
abandoned uploads, killed runs of this program, and images that Kubernetes is
shown although they are gone. Each finding is told with its bytes, what it
means, and what mends it.

It only reads. With --repair it mends what can be mended without risk: killed
runs are finished, expired leases and abandoned uploads removed, and containerd
is made to look at all its content and snapshots again. No image is removed.
Then it checks again, and tells what is left.

What it cannot look for, as with files that this user may not see, is noted.
The exit code is 0 if nothing is found, or nothing is left, and 1 otherwise.`

const checkExamples = `  # Is everything in order?
  ctr-prune check

  # Mend what is safe to mend
  ctr-prune check --repair

  # For programs
  ctr-prune check --format json`

// checkOptions are the flags of check.
type checkOptions struct {
	session
	output listOptions
	repair bool
}

func newCheck(p process, debug *bool) *cobra.Command {
	o := &checkOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:     "check [flags]",
		Short:   "Look for what is wrong in a store, and mend it",
		Long:    checkLong,
		Example: checkExamples,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "How", func(fs *pflag.FlagSet) {
		fs.BoolVar(&o.repair, "repair", false, "mend what can be mended without risk, and check again")
	})
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each finding", "the objects that were found") })
	templateHelp(cmd, "a finding", checkRow{})
	completeSession(cmd, p, &o.session)
	return cmd
}

func (o *checkOptions) run(ctx context.Context, p process) error {
	if err := errors.Join(o.store.check(), o.chooseClients(p)); err != nil {
		return err
	}
	list, err := newListing(p, o.output, "a finding", checkRow{})
	if err != nil {
		return err
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		doc, err := o.find(ctx, p, store)
		if err != nil {
			return err
		}
		var mend error
		if o.repair {
			before := doc.Findings
			mend = o.mend(ctx, p, store, before)
			if doc, err = o.find(ctx, p, store); err != nil {
				return errors.Join(mend, err)
			}
			doc.Repaired = gone(before, doc.Findings)
		}
		shown := list.show(checkContent(doc))
		if err := firstError(shown, mend); err != nil || len(doc.Findings) == 0 {
			return err
		}
		return &saidError{exitFailed}
	})
}

// find looks for what is wrong.
func (o *checkOptions) find(ctx context.Context, p process, store opened) (checkDocument, error) {
	bar := o.progress(ctx, p)
	defer bar.stop()
	doc := checkDocument{header: header{checkSchema, "check", p.now()}, Repaired: []prune.Finding{}}
	read := prune.ReadOptions{Sources: store.sources, Progress: bar.tell}
	found, err := prune.Check(ctx, store.Store, doc.Time, prune.CheckOptions{Read: read})
	if err != nil {
		return doc, stopped(ctx, &unreadableError{err})
	}
	doc.Findings = append([]prune.Finding{}, found...)
	doc.Notes = unseen(ctx, store)
	return doc, nil
}

// unseen says what could not be looked for, so that nothing found is not taken
// for nothing wrong.
func unseen(ctx context.Context, store prune.Store) []string {
	if _, err := store.BlobFiles(ctx); errdefs.IsUnavailable(err) {
		return []string{fmt.Sprintf("forgotten and lost blobs were not looked for: %s", err)}
	}
	return []string{} // other errors ended the check
}

// mend mends what can be. Another run is told as such, and nothing else.
func (o *checkOptions) mend(ctx context.Context, p process, store opened, found []prune.Finding) error {
	bar := o.progress(ctx, p)
	defer bar.stop()
	var err error
	whole(func() {
		err = prune.Repair(ctx, store.Store, found, prune.ExecuteOptions{Now: p.now, Sources: store.sources, Progress: bar.tell})
	})
	var busy *leases.Busy
	if errors.As(err, &busy) {
		return busy
	}
	return err
}

// gone lists the findings that are not there any more.
func gone(before, after []prune.Finding) []prune.Finding {
	key := func(f prune.Finding) [3]string { return [3]string{string(f.Problem), f.Namespace, f.Object} }
	left := make(map[[3]string]bool, len(after))
	for _, f := range after {
		left[key(f)] = true
	}
	list := []prune.Finding{}
	for _, f := range before {
		if !left[key(f)] {
			list = append(list, f)
		}
	}
	return list
}
