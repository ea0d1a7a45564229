package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

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
	Run       string       `json:"run"`
	Reclaimed prune.Amount `json:"reclaimed"`
	// Garbage is what nothing held already before.
	Garbage prune.Amount `json:"garbage"`
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
		runs, inv, now, err := o.session.runs(ctx, p, store, policy)
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
		if err := prune.Drop(ctx, store.Store, run, p.now()); err != nil {
			return stopped(ctx, err)
		}
		doc := droppedDocument{header: header{runsSchema, "drop", now}, Run: run.Name}
		doc.Reclaimed, doc.Garbage, err = o.reclaimed(ctx, p, store, policy, inv, now)
		return firstError(err, list.Show(format.Result[droppedDocument]{
			Doc: doc, Lines: func() []any { return []any{doc} }, Rows: func() []droppedDocument { return []droppedDocument{doc} },
			Text: func(out *terminal.Printer) { text.Dropped(out, run.Name, doc.Reclaimed, doc.Garbage) },
		}))
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

// reclaimed reads the store again and tells what is gone.
func (s *session) reclaimed(ctx context.Context, p process, store opened, policy prune.Policy, before *prune.Inventory, then time.Time) (freed, garbage prune.Amount, err error) {
	after, _, err := s.read(ctx, p, store, policy, prune.ReadOptions{})
	if err != nil {
		return freed, garbage, err
	}
	return prune.Reclaimed(ctx, store.Store, before, after, then)
}
