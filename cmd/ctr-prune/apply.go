package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const applyLong = `Apply a plan file that ctr-prune plan wrote: do exactly what it says, or less.

Images that have been moved, updated, pinned, taken into use or removed since
the plan was made are skipped, and the reason is shown; nothing is added. A plan
for another store or of an unknown version is refused. So is a file that others
may have written: one that belongs neither to root, nor to you, nor to the user
who called sudo, or that others may write to or replace.`

const applyExamples = `  # Show it again, then ask
  ctr-prune apply plan.json

  # From a pipeline; what is removed can be restored for a day
  ctr-prune apply --force --grace 24h - < plan.json`

func newApply(p process) *cobra.Command {
	o := &actOptions{fromFile: true}
	cmd := &cobra.Command{
		Use:     "apply [flags] FILE|-",
		Short:   "Apply a plan file, skipping what has changed",
		Long:    applyLong,
		Example: applyExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] == "" {
				return usagef("give one plan file, or - for stdin: ctr-prune plan writes one")
			}
			return nil
		},
		RunE: work[imageRow]{&o.commonOptions, imageShape(), o.refuseFile, o.changes, o.do}.run(p),
	}
	addGroup(cmd, "Where", o.store.adder(stopsDeleting))
	addGroup(cmd, "What else is in use", o.clients.adder("the plan file or the file of --pods"))
	addGroup(cmd, "How", o.addHow)
	addGroup(cmd, "Output", o.addOutput)
	completeFlags(cmd, p, &o.commonOptions)
	return cmd
}

// refuseFile returns an error for flags or a plan file that cannot be used. The
// file decides what may be removed.
func (o *actOptions) refuseFile(ctx context.Context, in *invocation) error {
	file := in.args[0]
	if file == "-" && !o.force && !o.dryRun {
		return usagef("the plan comes from stdin, so no answer can: use --force, --dry-run, or a file")
	}
	if err := o.refuse(ctx, in); err != nil {
		return err
	}
	if o.output.html != "" && file != "-" && privatefile.Same(o.output.html, file) {
		return usagef("--%s names the plan's own file: choose another", flagHTML)
	}
	selection, err := readSelection(ctx, in.process, file, o.clients.insecureFile)
	if err != nil {
		return err
	}
	in.policy = selection.Policy()
	return nil
}

func readSelection(ctx context.Context, p process, file string, insecure bool) (*prune.Selection, error) {
	in, name := terminal.Interruptible(ctx, p.stdin), "stdin"
	if file != "-" {
		f, err := prune.OpenPlanFile(ctx, file, insecure, caller(p))
		switch {
		case prune.CodeOf(err) != "":
			return nil, usagef("%s: %s", file, text.Error(err))
		case err != nil:
			return nil, usagef("the plan cannot be read: %s", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in, name = f, file
	}
	selection, err := prune.ParseSelection(in)
	if err != nil {
		return nil, stopped(ctx, fmt.Errorf("%s: %w", name, err))
	}
	return selection, nil
}
