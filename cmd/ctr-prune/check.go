package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const checkLong = `Find problems that are often noticed too late: images whose content is
incomplete; blobs, snapshots and uploads on the disk that containerd does not
know, or that it knows but that are missing; blobs of a wrong size; garbage,
writable snapshots without an owner, expired leases, abandoned uploads, killed
runs of ctr-prune, images that Kubernetes still sees although they are gone, and
labels that look as if they kept an image and do not.
Each finding is shown with its size, what it means, and how to fix it. With -n
only what belongs to these namespaces, or to none, is shown and repaired.

Without --repair nothing is changed. With --repair, what can be repaired safely
is repaired: killed runs are finished and abandoned uploads aborted. In any case
containerd is made to collect garbage, which removes expired leases, and to look
at the files of its blobs again, and at those of each snapshotter that has a
finding. No image is removed and no lease of another client is deleted: a lease
that had expired but has been renewed is kept. Then the store is checked again,
and what is left is shown.

What cannot be checked, such as files that this user may not see, is noted.
The exit code is 0 if nothing is found, or nothing is left, and 1 otherwise.`

const checkExamples = `  # Is everything in order?
  ctr-prune check

  # Repair what can be repaired safely
  ctr-prune check --repair

  # For programs
  ctr-prune check --format json`

// checkOptions are the flags of check.
type checkOptions struct {
	commonOptions
	repair bool
	// verify reads every blob.
	verify bool
}

func newCheck(p process) *cobra.Command {
	o := &checkOptions{}
	shape := rowShape("a finding", checkRow{})
	cmd := &cobra.Command{
		Use:     "check [flags]",
		Short:   "Find problems in a store, and repair them",
		Long:    checkLong,
		Example: checkExamples,
		Args:    noArguments,
		RunE:    work[checkRow]{&o.commonOptions, shape, nil, func() bool { return o.repair }, o.do}.run(p),
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.adder(stopsWorking))
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "How", func(fs *pflag.FlagSet) {
		fs.BoolVar(&o.repair, "repair", false, "repair what can be repaired safely, and check again")
		fs.BoolVar(&o.verify, "verify", false, "also read every blob and compare it with its digest, which takes as long as reading the whole store from disk")
	})
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		o.output.add(fs, "each finding, see the fields below", "the objects that were found")
	})
	templateHelp(cmd, shape)
	completeFlags(cmd, p, &o.commonOptions)
	return cmd
}

func (o *checkOptions) do(ctx context.Context, in *invocation, out *format.Output[checkRow]) error {
	if err := in.chosenExist(ctx); err != nil {
		return err
	}
	doc, err := in.find(ctx, o.verify)
	if err != nil {
		return err
	}
	var failure error
	if o.repair {
		doc, failure, err = in.repair(ctx, doc.Findings, o.verify)
		if ctx.Err() != nil {
			return in.cutShort(fmt.Sprintf("%s; what was begun was finished: run ctr-prune check to see what is left", context.Cause(ctx)))
		}
		if err != nil {
			return errors.Join(failure, err)
		}
	}
	shown := out.Show(checkResult(doc))
	if err := firstError(shown, failure); err != nil || len(doc.Findings) == 0 {
		return err
	}
	return &saidError{exitFailed}
}

// find looks for problems; verify also reads every blob.
func (in *invocation) find(ctx context.Context, verify bool) (checkDocument, error) {
	doc := checkDocument{header: in.header(checkSchema, "check"), Findings: []prune.Finding{}, Repaired: []prune.Finding{}, Renewed: []prune.Finding{}, Notes: []prune.Cause{}}
	err := in.read(ctx, prune.ReadOptions{}, func(now time.Time, opts prune.ReadOptions) error {
		checked, err := prune.Check(ctx, in.store, now, prune.CheckOptions{Read: opts, Verify: verify})
		if err != nil {
			return err
		}
		doc.Findings = text.AdviseFindings(append(doc.Findings, slices.DeleteFunc(checked.Findings, in.elsewhere)...))
		doc.Notes = append(doc.Notes, checked.Unseen...)
		return nil
	})
	return doc, err
}

// chosenExist refuses a namespace that does not exist, in which nothing would be
// found.
func (in *invocation) chosenExist(ctx context.Context) error {
	if in.policy.AllNamespaces {
		return nil
	}
	names, err := in.store.Namespaces(ctx)
	if err != nil {
		return err
	}
	for _, chosen := range in.policy.Namespaces {
		if !slices.Contains(names, chosen) {
			return usagef("there is no namespace %q: choose one of %s, or --all-namespaces", chosen, strings.Join(each(names, strconv.Quote), ", "))
		}
	}
	return nil
}

// elsewhere says that a finding belongs to a namespace that was not chosen. Some
// belong to none, such as files that containerd does not know.
func (in *invocation) elsewhere(f prune.Finding) bool {
	return f.Namespace != "" && !in.chosen(f.Namespace)
}

// repair fixes what can be fixed, checks again, and says what is left. failure
// is the error of the repair.
func (in *invocation) repair(ctx context.Context, found []prune.Finding, verify bool) (doc checkDocument, failure, err error) {
	var repaired *prune.Repaired
	in.change(ctx, prune.ExecuteOptions{}, func(opts prune.ExecuteOptions) {
		repaired, failure = prune.Repair(ctx, in.store, found, opts)
	})
	if ctx.Err() != nil {
		return doc, failure, nil // the caller tells
	}
	if doc, err = in.find(ctx, verify); err == nil {
		doc.repaired(found, repaired)
	}
	return doc, firstError(busyOf(failure), failure), err
}

// repaired fills in what a repair has done: the findings that are not found any
// more, except leases that their owners have created again. Leases that expired
// meanwhile would have been found.
func (d *checkDocument) repaired(before []prune.Finding, r *prune.Repaired) {
	d.Repaired = gone(before, d.Findings)
	if r == nil {
		return
	}
	for _, l := range r.Renewed {
		i := slices.IndexFunc(d.Repaired, func(f prune.Finding) bool {
			return f.Problem == prune.ProblemExpired && f.Namespace == l.Namespace && f.Object == l.ID
		})
		if i >= 0 {
			d.Renewed = append(d.Renewed, d.Repaired[i])
			d.Repaired = slices.Delete(d.Repaired, i, i+1)
		}
	}
	for _, l := range r.Expired {
		d.Repaired = append(d.Repaired, prune.Finding{Problem: prune.ProblemExpired, Namespace: l.Namespace, Object: l.ID, Meaning: l.Reason, Repairable: true})
	}
}

// gone lists the findings that are not found any more.
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

// checkRow is a finding in templates.
type checkRow struct {
	Problem, Namespace, Object string
	Bytes                      format.Bytes
	Meaning, Fix               string
	// AtLeast says that Bytes is a lower bound.
	Repairable, AtLeast bool
}

func checkRows(found []prune.Finding) []checkRow {
	rows := make([]checkRow, len(found))
	for i, f := range found {
		rows[i] = checkRow{f.Problem.String(), f.Namespace, f.Object, format.Bytes(f.Bytes), f.Meaning, f.Fix, f.Repairable, f.AtLeast}
	}
	return rows
}

// checkDocument is the output of --format json.
type checkDocument struct {
	header
	Findings []prune.Finding `json:"findings"`
	// Repaired are the findings that --repair fixed.
	Repaired []prune.Finding `json:"repaired"`
	// Renewed are leases that had expired and that their owners have created again
	// since; --repair did not touch them.
	Renewed []prune.Finding `json:"renewed"`
	// Notes say what could not be checked.
	Notes []prune.Cause `json:"notes"`
}

type findingEvent struct {
	Type string `json:"type"`
	prune.Finding
}

func checkResult(doc checkDocument) format.Result[checkRow] {
	checked := text.Checked{Findings: doc.Findings, Repaired: doc.Repaired, Renewed: doc.Renewed, Notes: doc.Notes}
	return format.Result[checkRow]{
		Doc: doc, Lines: func() []any { return checkLines(doc) }, Rows: func() []checkRow { return checkRows(doc.Findings) },
		Names: func() []string { return each(doc.Findings, func(f prune.Finding) string { return f.Object }) },
		Text:  func(out *terminal.Printer) { text.Check(out, checked) },

		Remarks: func() []github.Remark { return text.CheckRemarks(checked) },
		Figures: func() []github.Figure { return text.CheckFigures(checked) },
	}
}

func checkLines(doc checkDocument) []any {
	var lines []any
	for _, f := range doc.Repaired {
		lines = append(lines, findingEvent{"repaired", f})
	}
	for _, f := range doc.Renewed {
		lines = append(lines, findingEvent{"renewed", f})
	}
	for _, f := range doc.Findings {
		lines = append(lines, findingEvent{"finding", f})
	}
	for _, note := range doc.Notes {
		lines = append(lines, causeEvent{"note", note})
	}
	return lines
}
