package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const undoLong = `Restore what a run with --grace removed: the images with their labels and their
unpacked layers. Without RUN, the newest run is undone.

A name that is in use again by now is left as it is, and reported. See
ctr-prune runs for what can be undone, and until when.`

func newUndo(p process) *cobra.Command {
	o := &commonOptions{}
	shape := rowShape("a record", recordRow{})
	cmd := &cobra.Command{
		Use:     "undo [flags] [RUN]",
		Short:   "Restore what a run with --grace removed",
		Long:    undoLong,
		Example: "  # The last run\n  ctr-prune undo\n\n  # Another one\n  ctr-prune runs\n  ctr-prune undo 20260301-120000-abcdef",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || slices.Contains(args, "") {
				return usagef("name one run (see ctr-prune runs), or none for the newest")
			}
			return nil
		},
		RunE: work[recordRow]{o, shape, nil, always, undo}.run(p),
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.adder(stopsWorking))
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		o.output.add(fs, "each restored image, see the fields below", "the restored names")
	})
	templateHelp(cmd, shape)
	completeFlags(cmd, p, o)
	cmd.ValidArgsFunction = completer{process: p, options: o}.runs
	return cmd
}

// recordRow is a record in templates.
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
}

func undo(ctx context.Context, in *invocation, out *format.Output[recordRow]) error {
	run, err := in.runNamed(ctx, append(in.args, "")[0], prune.ReadOptions{NoSizes: true})
	if err != nil {
		return err
	}
	var undone *prune.Undone
	var failure error
	in.change(ctx, prune.ExecuteOptions{}, func(opts prune.ExecuteOptions) {
		undone, failure = prune.Undo(ctx, in.store, run, opts)
	})
	shown := out.Show(undoneResult(in.header(runsSchema, "undo"), undone))
	if undone.Interrupted {
		return firstError(shown, in.undoCut(ctx, undone, run))
	}
	return firstError(shown, in.undoFailed(undone, failure))
}

// undoCut says how far an interrupted undo got.
func (p process) undoCut(ctx context.Context, undone *prune.Undone, run prune.Run) error {
	return p.cutShort(fmt.Sprintf("%s after %d of %s; undo it again for the rest",
		context.Cause(ctx), len(undone.Restored), terminal.Count(len(run.Records), "image record")))
}

// cutShort says how far an interrupted command got, which is all that is said of the
// interruption.
func (p process) cutShort(sentence string) error {
	return firstError(p.fault("%s", sentence), &saidError{exitInterrupted})
}

func undoneResult(head header, undone *prune.Undone) format.Result[recordRow] {
	doc := undoneDocument{header: head, Undone: *undone}
	doc.Restored, doc.Failed = append([]prune.Record{}, undone.Restored...), append([]prune.Skip{}, undone.Failed...)
	doc.Errors = append([]prune.Cause{}, undone.Errors...)
	return format.Result[recordRow]{
		Doc: doc, Lines: func() []any { return undoneLines(undone) }, Rows: func() []recordRow { return recordRows(undone.Restored) },
		Names: func() []string { return each(undone.Restored, func(r prune.Record) string { return r.Name }) },
		Text:  func(out *terminal.Printer) { text.Undone(out, undone) },

		Remarks: func() []github.Remark { return text.UndoneRemarks(undone) },
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
	for _, m := range undone.Missing {
		lines = append(lines, missingEvent{"missing", m.Namespace, m.Cause})
	}
	return lines
}

// undoFailed reports what could not be restored, which is a failure.
func (p process) undoFailed(undone *prune.Undone, failure error) error {
	for _, s := range undone.Failed {
		if err := p.fault("%s%q was not restored: %s", text.Prefix(s.Namespace), s.Name, s.Reason); err != nil {
			return err
		}
	}
	if len(undone.Failed) == 0 {
		return failure
	}
	err := p.fault("undo it again when that is fixed, or free what it still holds: ctr-prune runs drop %s", undone.Run)
	return firstError(err, failure, &saidError{exitFailed})
}
