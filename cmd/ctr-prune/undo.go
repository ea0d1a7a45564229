package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const undoLong = `Put back what a run with --grace removed: the records with their labels, and
the unpacked layers that were let go. Without RUN it is the newest run.

A name that was taken meanwhile stays as it is and is reported. See
ctr-prune runs for what can be undone, and until when.`

// undoOptions are the flags of undo.
type undoOptions struct {
	session
	output listOptions
}

func newUndo(p process, debug *bool) *cobra.Command {
	o := &undoOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:     "undo [flags] [RUN]",
		Short:   "Put back what a run with --grace removed",
		Long:    undoLong,
		Example: "  # The last run\n  ctr-prune undo\n\n  # Another one\n  ctr-prune runs\n  ctr-prune undo 20260301-120000-abcdef",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || slices.Contains(args, "") {
				return usagef("name one run (see ctr-prune runs), or none for the newest")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), p, args) },
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each record that is back", "the names that are back") })
	templateHelp(cmd, "a record", recordRow{})
	completeSession(cmd, p, &o.session)
	cmd.ValidArgsFunction = completer{process: p, session: &o.session}.runs
	return cmd
}

// recordRow is what a template sees of a record.
type recordRow struct{ Namespace, Name, Target string }

func recordRows(records []prune.Record) []recordRow {
	rows := make([]recordRow, len(records))
	for i, r := range records {
		rows[i] = recordRow{r.Namespace, r.Name, string(r.Target)}
	}
	return rows
}

type undoneDocument struct {
	header
	prune.Undone
	Errors []string `json:"errors"`
}

func (o *undoOptions) run(ctx context.Context, p process, args []string) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	list, err := newListing(p, o.output, "a record", recordRow{})
	if err != nil {
		return err
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		runs, now, err := o.runs(ctx, p, store, policy)
		if err != nil {
			return err
		}
		run, err := prune.RunNamed(runs, append(args, "")[0])
		if err != nil {
			return err
		}
		var undone *prune.Undone
		var failure error
		whole(func() { undone, failure = prune.Undo(ctx, store, run, p.now()) })
		return firstError(list.Show(undoneContent(undone, failure, now)), o.told(p, undone, failure))
	})
}

func undoneContent(undone *prune.Undone, failure error, now time.Time) format.Result[recordRow] {
	doc := undoneDocument{header: header{runsSchema, "undo", now}, Undone: *undone, Errors: []string{}}
	doc.Restored, doc.Failed = append([]prune.Record{}, undone.Restored...), append([]prune.Skip{}, undone.Failed...)
	if failure != nil {
		doc.Errors = sentences(failure)
	}
	return format.Result[recordRow]{
		Doc: doc, Lines: func() []any { return undoneLines(undone) }, Rows: func() []recordRow { return recordRows(undone.Restored) },
		Names: func() []string { return each(undone.Restored, func(r prune.Record) string { return r.Name }) },
		Text:  func(out *terminal.Printer) { text.Undone(out, undone) },
	}
}

func undoneLines(undone *prune.Undone) []any {
	var lines []any
	for _, r := range undone.Restored {
		lines = append(lines, recordEvent{"restored", r})
	}
	for _, s := range undone.Failed {
		lines = append(lines, skippedEvent{"skipped", s})
	}
	return lines
}

// told says what could not be put back, which is a failure.
func (o *undoOptions) told(p process, undone *prune.Undone, failure error) error {
	for _, s := range undone.Failed {
		if err := p.say("ctr-prune: %s%q is not back: %s", text.Prefix(s.Namespace), s.Name, s.Reason); err != nil {
			return err
		}
	}
	if len(undone.Failed) == 0 {
		return failure
	}
	err := p.say("ctr-prune: undo it again when that is mended, or give up what it still holds: ctr-prune runs drop %s", undone.Run)
	return firstError(err, failure, &saidError{exitFailed})
}
