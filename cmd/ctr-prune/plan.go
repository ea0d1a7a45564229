package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const planLong = `Write what a prune with these flags would do to a file, to be reviewed and then
applied with ctr-prune apply, here or in a pipeline.

The file contains what --dry-run --format json shows: the store that it is for,
and for every image what would be done and why. Nothing is changed.`

const planExamples = `  # Plan now, apply after a review
  ctr-prune plan --all --until 72h -o plan.json
  ctr-prune apply plan.json

  # List what would be removed, with jq
  ctr-prune plan --all | jq -r '.images[] | select(.action != "keep") | .name'`

// planOptions are the flags of plan.
type planOptions struct {
	commonOptions
	file string
}

func newPlan(p process) *cobra.Command {
	o := &planOptions{}
	o.output.format, o.policy.arguments.taken = format.JSON, true
	cmd := &cobra.Command{
		Use:     "plan [flags] [IMAGE…]",
		Short:   "Write a plan to a file, to be reviewed and applied later",
		Long:    planLong,
		Example: planExamples,
		Args:    onlyImages,
		RunE:    work[imageRow]{&o.commonOptions, imageShape(), o.refuse, nil, o.do}.run(p),
	}
	addGroup(cmd, "What to remove", o.policy.add)
	addGroup(cmd, "Where", o.store.adder(stopsLooking))
	addGroup(cmd, "Where", o.state.add)
	addGroup(cmd, "What else is in use", o.clients.adder("the file of --pods or --policy"))
	addGroup(cmd, "Output", func(fs *pflag.FlagSet) {
		fs.StringVarP(&o.file, "output", "o", "-", "write the plan to this `FILE`, which only you may read; - is stdout")
		o.output.addHTML(fs)
	})
	completeFlags(cmd, p, &o.commonOptions)
	cmd.ValidArgsFunction = completer{process: p, options: &o.commonOptions}.named
	return cmd
}

func (o *planOptions) refuse(context.Context, *invocation) error {
	switch o.file {
	case "-":
		return nil
	case format.JSON, format.Lines, format.Table:
		return usagef("--output names a file, and what a plan writes is JSON: leave -o %s out, or type ./%s for a file of that name", o.file, o.file)
	}
	if o.output.html != "" && privatefile.Same(o.output.html, o.file) {
		return usagef("--output and --%s name the same file: choose another file for one of them", flagHTML)
	}
	return checkFile(o.file)
}

func (o *planOptions) do(ctx context.Context, in *invocation, out *format.Output[imageRow]) error {
	plan, err := in.plan(ctx, prune.ReadOptions{AllSizes: o.output.html != "", Origins: o.output.html != ""})
	if err != nil {
		return err
	}
	doc := prune.PlanDocument(plan)
	if o.file == "-" {
		err = in.view(o.output, out).show(doc)
	} else {
		err = o.write(in, doc)
	}
	return firstError(err, in.picture(plan, doc), in.refused(doc), in.short(plan.Relief))
}

// write writes the document to the file, and a sentence about it to stderr.
func (o *planOptions) write(in *invocation, doc prune.Document) error {
	b, err := format.Encode(doc, "  ")
	if err != nil {
		return err
	}
	if err := privatefile.Write(o.file, func(w io.Writer) error { _, err := w.Write(b); return err }); err != nil {
		return err
	}
	return in.say("%s: removes %d of %s and reclaims %s. Apply it with: ctr-prune apply%s %s",
		o.file, doc.Counts.Remove+doc.Counts.StandIn, terminal.Count(doc.Counts.Images, "image record"), text.Sizes(doc.Predicted), o.store.again(), shellWord(o.file))
}

// easy matches what can be typed in a shell without quotes. Names in a store
// may contain anything, and a completion ends up on a command line.
var easy = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@+-]{0,254}$`)

// beginning matches the start of names that need no quotes.
var beginning = regexp.MustCompile(`^[A-Za-z0-9._/:@+-]{0,255}$`)

func typeable(names []string) []string {
	var all []string
	for _, n := range names {
		if easy.MatchString(n) {
			all = append(all, n)
		}
	}
	return all
}

// shellWord quotes a text for a shell.
func shellWord(s string) string {
	if s != "" && beginning.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

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
