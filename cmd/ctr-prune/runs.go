package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

const runsLong = `List the runs that can be undone: those made with --grace, until the grace period
ends. What a run holds is freed then, or at once with ctr-prune runs drop.`

func newRuns(p process) *cobra.Command {
	o := &commonOptions{}
	shape := rowShape("a run", runRow{})
	cmd := &cobra.Command{
		Use:     "runs [flags]",
		Short:   "List the runs that can be undone",
		Long:    runsLong,
		Example: "  ctr-prune runs\n\n  # Undo the last one\n  ctr-prune undo\n\n  # Free what a run holds now\n  ctr-prune runs drop 20260301-120000-abcdef",
		Args:    noArguments,
		RunE:    work[runRow]{o, shape, nil, nil, listRuns}.run(p),
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.adder(stopsLooking))
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each run, see the fields below", "the names of the runs") })
	templateHelp(cmd, shape)
	completeFlags(cmd, p, o)
	cmd.AddCommand(newDrop(p))
	return cmd
}

// runRow is a run in templates.
type runRow struct {
	Run            string
	Started, Until time.Time
	Namespaces     []string
	Records        []recordRow
	Count          int
	Bytes          format.Bytes
}

func runRows(runs []prune.Run) []runRow {
	rows := make([]runRow, len(runs))
	for i, r := range runs {
		rows[i] = runRow{r.Name, r.Started, r.Until, r.Namespaces, recordRows(r.Records), len(r.Records), format.Bytes(r.Holds.TotalBytes)}
	}
	return rows
}

type runsDocument struct {
	header
	Runs []prune.Run `json:"runs"`
}

type runEvent struct {
	Type string `json:"type"`
	prune.Run
}

func listRuns(ctx context.Context, in *invocation, out *format.Output[runRow]) error {
	runs, err := in.runs(ctx, prune.ReadOptions{})
	if err != nil {
		return err
	}
	if len(runs) == 0 && in.options.output.table() {
		return in.say("Nothing to undo. Only runs made with --grace can be undone, until the grace period ends.")
	}
	return out.Show(format.Result[runRow]{
		Doc:   runsDocument{in.header(runsSchema, "runs"), runs},
		Lines: func() []any { return each(runs, func(r prune.Run) any { return runEvent{"run", r} }) },
		Rows:  func() []runRow { return runRows(runs) },
		Names: func() []string { return each(runs, func(r prune.Run) string { return r.Name }) },
		Text:  func(out *terminal.Printer) { text.Runs(out, runs, in.readAt) },

		Remarks: func() []github.Remark { return text.RunsRemarks(runs) },
	})
}

// runs reads the store and lists the runs of the chosen namespaces.
func (in *invocation) runs(ctx context.Context, opts prune.ReadOptions) ([]prune.Run, error) {
	var all []prune.Run
	err := in.read(ctx, opts, func(now time.Time, opts prune.ReadOptions) (err error) {
		all, err = prune.Runs(ctx, in.store, now, opts)
		return err
	})
	runs := []prune.Run{}
	for _, r := range all {
		if in.chosen(r.Namespaces...) {
			runs = append(runs, r)
		}
	}
	return runs, err
}

// runNamed returns one of the chosen runs, the newest if the name is empty.
func (in *invocation) runNamed(ctx context.Context, name string, opts prune.ReadOptions) (prune.Run, error) {
	runs, err := in.runs(ctx, opts)
	if err != nil {
		return prune.Run{}, err
	}
	return runNamed(runs, name)
}

// runNamed finds a run by its name or a prefix of it; "" means the newest. The
// error names the candidates.
func runNamed(runs []prune.Run, name string) (prune.Run, error) {
	var names []string
	var found []prune.Run
	for _, r := range runs {
		names = append(names, r.Name)
		if r.Name == name || name == "" && len(found) == 0 {
			return r, nil
		}
		if strings.HasPrefix(r.Name, name) {
			found = append(found, r)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(runs) == 0:
		return prune.Run{}, errors.New("nothing to undo: only runs made with --grace can be undone, until the grace period ends")
	case len(found) == 0:
		return prune.Run{}, fmt.Errorf("no run that can be undone is named %q or begins so: there are %s", name, strings.Join(names, ", "))
	default:
		return prune.Run{}, usagef("%q matches %d of the runs that can be undone: choose one of %s", name, len(found), strings.Join(each(found, func(r prune.Run) string { return r.Name }), ", "))
	}
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// dropOptions are the flags of runs drop.
type dropOptions struct {
	commonOptions
	force bool
}

func newDrop(p process) *cobra.Command {
	o := &dropOptions{}
	cmd := &cobra.Command{
		Use:   "drop [flags] RUN",
		Short: "Free what a run holds; the run can no longer be undone",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("name the run to drop (see ctr-prune runs)")
			}
			return nil
		},
		RunE: work[droppedDocument]{&o.commonOptions, rowShape("the result", droppedDocument{}), nil, always, o.do}.run(p),
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.adder(stopsWorking))
	addGroup(cmd, "How", func(fs *pflag.FlagSet) { addForce(fs, &o.force) })
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.addFormat(fs, "") })
	completeFlags(cmd, p, &o.commonOptions)
	cmd.ValidArgsFunction = completer{process: p, options: &o.commonOptions}.runs
	return cmd
}

// droppedDocument is the output of --format json.
type droppedDocument struct {
	header
	Run string `json:"run"`
	prune.Dropped
}

func (o *dropOptions) do(ctx context.Context, in *invocation, out *format.Output[droppedDocument]) error {
	run, err := in.runNamed(ctx, in.args[0], prune.ReadOptions{NoSizes: o.force})
	if err != nil {
		return err
	}
	if err := in.askable(o.force, "drop the run without asking"); err != nil {
		return err
	}
	if yes, err := o.sure(ctx, in, run); err != nil || !yes {
		return err
	}
	var dropped prune.Dropped
	in.change(ctx, prune.ExecuteOptions{}, func(opts prune.ExecuteOptions) {
		dropped, err = prune.Drop(ctx, in.store, run, opts)
	})
	switch {
	case dropped.Interrupted:
		return in.cutShort(fmt.Sprintf("%s before all of run %s was given up; drop it again for the rest", context.Cause(ctx), run.Name))
	case err != nil && !dropped.Begun:
		return stopped(ctx, err)
	case err != nil:
		return err
	}
	doc := droppedDocument{in.header(runsSchema, "drop"), run.Name, dropped}
	return out.Show(format.Result[droppedDocument]{
		Doc: doc, Lines: func() []any { return []any{doc} }, Rows: func() []droppedDocument { return []droppedDocument{doc} },
		Text: func(out *terminal.Printer) { text.Dropped(out, run.Name, doc.Reclaimed, doc.Garbage) },

		Remarks: func() []github.Remark { return text.DroppedRemarks(run.Name, doc.Reclaimed) },
		Figures: func() []github.Figure { return text.Removed(0, doc.Reclaimed)[1:] },
	})
}

// sure asks for confirmation of dropping a run, unless -f was given.
func (o *dropOptions) sure(ctx context.Context, in *invocation, run prune.Run) (bool, error) {
	if o.force {
		return true, nil
	}
	return in.confirmed(ctx, "Free it? [y/N] ", func(out *terminal.Printer) {
		out.Sentence("Run %s removed %s; it holds %s.", run.Name, terminal.Count(len(run.Records), "image record"), text.Amount(run.Holds))
		out.Wrapped(out.Paint(terminal.Yellow, "WARNING!")+" It cannot be undone after this.", "")
	})
}
