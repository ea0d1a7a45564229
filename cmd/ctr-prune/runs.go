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
		runs, _, now, err := o.session.runs(ctx, p, store, policy)
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
func (s *session) runs(ctx context.Context, p process, store opened, policy prune.Policy) ([]prune.Run, *prune.Inventory, time.Time, error) {
	inv, now, err := s.read(ctx, p, store, policy, prune.ReadOptions{LeaseSizes: true})
	if err != nil {
		return nil, nil, now, err
	}
	all, err := prune.Runs(ctx, store, inv, now)
	if err != nil {
		return nil, nil, now, stopped(ctx, err)
	}
	runs := []prune.Run{}
	for _, r := range all {
		if policy.AllNamespaces || intersects(r.Namespaces, policy.Namespaces) {
			runs = append(runs, r)
		}
	}
	return runs, inv, now, nil
}

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
