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

const runsLong = `List the runs that can be undone: those with --grace, until their grace is
over. What a run holds is freed then, or at once by ctr-prune runs drop.`

// runsOptions are the flags of runs and of runs drop.
type runsOptions struct {
	session
	output listOptions
	force  bool
}

func newRuns(p process, debug *bool) *cobra.Command {
	o := &runsOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:     "runs [flags]",
		Short:   "List the runs that can be undone",
		Long:    runsLong,
		Example: "  ctr-prune runs\n\n  # Put the last one back\n  ctr-prune undo\n\n  # Free what a run holds now\n  ctr-prune runs drop 20260301-120000-abcdef",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), p) },
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.add(fs, "each run", "the names of the runs") })
	templateHelp(cmd, "a run", runRow{})
	completeSession(cmd, p, &o.session)
	cmd.AddCommand(newDrop(p, debug))
	return cmd
}

// runRow is what a template sees of a run.
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

func (o *runsOptions) run(ctx context.Context, p process) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	list, err := newListing(p, o.output, "a run", runRow{})
	if err != nil {
		return err
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		runs, now, err := o.session.runs(ctx, p, store, policy)
		if err != nil {
			return err
		}
		return list.Show(format.Result[runRow]{
			Doc:   runsDocument{header{runsSchema, "runs", now}, runs},
			Lines: func() []any { return each(runs, func(r prune.Run) any { return runEvent{"run", r} }) },
			Rows:  func() []runRow { return runRows(runs) },
			Names: func() []string { return each(runs, func(r prune.Run) string { return r.Name }) },
			Text:  func(out *terminal.Printer) { text.Runs(out, runs, now) },
		})
	})
}

// runs reads the store and lists the runs of the namespaces of the policy.
func (s *session) runs(ctx context.Context, p process, store opened, policy prune.Policy) ([]prune.Run, time.Time, error) {
	var all []prune.Run
	now, err := s.reading(ctx, p, store, prune.ReadOptions{}, func(now time.Time, opts prune.ReadOptions) (err error) {
		all, err = prune.Runs(ctx, store.Store, now, opts)
		return err
	})
	if err != nil {
		return nil, now, err
	}
	runs := []prune.Run{}
	for _, r := range all {
		if policy.AllNamespaces || intersects(r.Namespaces, policy.Namespaces) {
			runs = append(runs, r)
		}
	}
	return runs, now, nil
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func newDrop(p process, debug *bool) *cobra.Command {
	o := &runsOptions{session: session{debug: debug}}
	cmd := &cobra.Command{
		Use:   "drop [flags] RUN",
		Short: "Free what a run holds; it cannot be undone any more",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("name the run to drop (see ctr-prune runs)")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.drop(cmd.Context(), p, args[0]) },
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "Where", o.store.add)
	addGroup(cmd, "How", func(fs *pflag.FlagSet) { fs.BoolVarP(&o.force, "force", "f", false, "do not ask") })
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) { o.output.addDocument(fs) })
	completeSession(cmd, p, &o.session)
	cmd.ValidArgsFunction = completer{process: p, session: &o.session}.runs
	return cmd
}

// droppedDocument is what --format json shows.
type droppedDocument struct {
	header
	Run string `json:"run"`
	prune.Dropped
}

func (o *runsOptions) drop(ctx context.Context, p process, name string) error {
	policy, err := o.check(p)
	if err != nil {
		return err
	}
	list, err := newListing(p, o.output, "the result", droppedDocument{})
	if err != nil {
		return err
	}
	if !o.force && !p.isTerminal(p.stdin) {
		return usagef("there is no terminal to ask on: give --force to drop the run without a question")
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		runs, now, err := o.session.runs(ctx, p, store, policy)
		if err != nil {
			return err
		}
		run, err := prune.RunNamed(runs, name)
		if err != nil {
			return err
		}
		if yes, err := o.sure(ctx, p, run); err != nil || !yes {
			return err
		}
		dropped, err := prune.Drop(ctx, store.Store, run, p.now(), prune.ReadOptions{Sources: store.sources})
		if err != nil {
			return stopped(ctx, err)
		}
		doc := droppedDocument{header{runsSchema, "drop", now}, run.Name, dropped}
		return list.Show(format.Result[droppedDocument]{
			Doc: doc, Lines: func() []any { return []any{doc} }, Rows: func() []droppedDocument { return []droppedDocument{doc} },
			Text: func(out *terminal.Printer) { text.Dropped(out, run.Name, doc.Reclaimed, doc.Garbage) },
		})
	})
}

// sure asks whether a run may be given up, unless that was forced.
func (o *runsOptions) sure(ctx context.Context, p process, run prune.Run) (bool, error) {
	if o.force {
		return true, nil
	}
	out := p.printer(p.stderr)
	out.Line("Run %s removed %s; it holds %s.", run.Name, terminal.Count(len(run.Records), "image record"), text.Amount(run.Holds))
	out.Write(out.Paint(terminal.Yellow, "WARNING!") + " It cannot be undone after this.\n")
	answer, err := question(ctx, p, out, "Free it? [y/N] ", false)
	if err != nil || answer != terminal.Yes {
		return false, firstError(err, p.say("Nothing was removed."))
	}
	return true, nil
}
