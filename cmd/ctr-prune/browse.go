package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/browse"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

const browseLong = `Look through a store on a terminal, and choose by hand what to remove.

The store is a tree of namespaces, registries, repositories, images and their
layers, with what removing each would free, and why it stays. The space bar
marks images; the foot of the screen says what exactly the marked ones free
together, and who holds the rest. Enter shows the plan for them, and only y
carries it out, as ctr-prune apply would. u undoes the last run that can be.
All keys are listed when ? is pressed.`

const browseExamples = `  # What fills my disk, and what can go?
  ctr-prune browse

  # Whatever is removed can be restored for a day
  ctr-prune browse --grace 24h

  # The store of a stopped containerd
  ctr-prune browse --root /var/lib/containerd`

// browseGrace is the grace of a run for which one is asked at the plan.
const browseGrace = "24h"

func newBrowse(p process) *cobra.Command {
	o := &actOptions{}
	cmd := &cobra.Command{
		Use:     "browse [flags]",
		Short:   "Look through the store, and mark what to remove",
		Long:    browseLong,
		Example: browseExamples,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := newInvocation(p, cmd, &o.commonOptions, args)
			if err != nil {
				return err
			}
			return o.browse(cmd.Context(), in)
		},
	}
	addGroup(cmd, "What to look at", o.policy.addScope)
	addGroup(cmd, "What to look at", o.policy.addPrefixes)
	addGroup(cmd, "Where", o.store.adder(""))
	addGroup(cmd, "Where", o.state.add)
	addGroup(cmd, "What else is in use", o.clients.add)
	addGroup(cmd, "How", func(fs *pflag.FlagSet) {
		o.addGrace(fs)
		o.addStall(fs)
	})
	completeFlags(cmd, p, &o.commonOptions)
	return cmd
}

// browse runs until the person leaves.
func (o *actOptions) browse(ctx context.Context, in *invocation) error {
	o.force = true // the program asks itself
	switch {
	case !in.isTerminal(in.stdin) || !in.isTerminal(in.stdout) || in.getenv("TERM") == "dumb" || in.getenv("TERM") == "":
		return usagef("browse needs a terminal that can move its cursor: use ctr-prune df, which shows the same as text")
	case in.debug && in.isTerminal(in.stderr):
		return usagef("--%s would write over the screen: send it to a file, with 2>FILE", flagDebug)
	}
	if err := o.refuse(ctx, in); err != nil {
		return err
	}
	later := new(bytes.Buffer)
	b := &browsing{invocation: *in, how: o}
	b.stderr = later // a sentence would be written over the screen
	title, err := o.title(in)
	if err != nil {
		return err
	}
	colour := in.printer(in.stdout).Colour
	err = browse.Run(ctx, browse.Terminal{In: in.stdin, Out: in.stdout, Now: in.now, Leave: in.leave}, browse.Look{
		Title: title, Colour: colour, ASCII: !terminal.UTF8(in.getenv), Grace: browseGrace, Always: o.keeps > 0,
	}, b)
	if later.Len() > 0 {
		err = firstError(err, in.say("%s", strings.TrimSpace(later.String())))
	}
	if errors.Is(err, browse.ErrInterrupted) || errors.Is(err, errSignal) {
		return firstError(in.fault("interrupted"), &saidError{exitInterrupted})
	}
	return err
}

// title names the store.
func (o *actOptions) title(in *invocation) (string, error) {
	if o.store.root != "" {
		return o.store.root, nil
	}
	address, _, err := o.store.where(machineOf(in.getenv))
	return address, err
}

// browsing is the store of a person who looks through it. It is opened for each thing
// that is done, and only to look unless something is changed: between these, a containerd
// may be started or stopped.
type browsing struct {
	invocation
	how *actOptions
}

// look calls a function with the store open to be looked at.
func (b *browsing) look(ctx context.Context, do func(in *invocation) error) error {
	return b.with(ctx, true, do)
}

func (b *browsing) with(ctx context.Context, looks bool, do func(in *invocation) error) error {
	in := b.invocation
	return in.open(ctx, looks, func() (err error) {
		if in.policy.LastUse, err = in.lastUse(ctx); err != nil {
			return err
		}
		return do(&in)
	})
}

// Read reads the store.
func (b *browsing) Read(ctx context.Context, tell func(prune.Progress)) (survey *prune.Survey, err error) {
	err = b.look(ctx, func(in *invocation) error {
		opts := prune.ReadOptions{Sources: in.sources, Progress: tell}
		if survey, err = prune.ReadSurvey(ctx, in.store, in.policy, in.now(), opts); err != nil {
			return &unreadableError{err}
		}
		text.AdviseUsage(survey.Usage)
		return nil
	})
	return survey, err
}

// Plan makes the plan that removes what is marked.
func (b *browsing) Plan(ctx context.Context, policy prune.Policy) (*browse.Proposal, error) {
	var plan *prune.Plan
	err := b.look(ctx, func(in *invocation) (err error) {
		policy.LastUse = in.policy.LastUse
		in.policy = policy
		plan, err = in.plan(ctx, prune.ReadOptions{})
		return err
	})
	if err != nil {
		return nil, errors.New(sentence(err))
	}
	doc := text.Advise(prune.PlanDocument(plan))
	if doc.Counts.Remove+doc.Counts.StandIn == 0 {
		return nil, errors.New("nothing that is marked can be removed any more: press r to read the store again")
	}
	if b.how.keeps > 0 {
		doc.Grace = &prune.Grace{Until: b.now().Add(b.how.keeps)}
	}
	return &browse.Proposal{
		Text: b.lines(func(out *terminal.Printer) { text.Picked(out, doc) }),
		Do: func(ctx context.Context, grace bool, tell func(prune.Progress)) browse.Outcome {
			return b.execute(ctx, plan, grace, tell)
		},
	}, nil
}

// execute carries out a plan.
func (b *browsing) execute(ctx context.Context, plan *prune.Plan, grace bool, tell func(prune.Progress)) (o browse.Outcome) {
	how := *b.how
	if grace {
		how.grace = browseGrace
		if err := how.refuseGrace(); err != nil {
			return b.failed("Nothing was removed", err)
		}
	}
	err := b.with(ctx, false, func(in *invocation) error {
		in.policy.LastUse = plan.Policy.LastUse
		if err := in.noteUse(ctx, plan); err != nil {
			return err
		}
		opts := prune.ExecuteOptions{Grace: how.keeps, MaxStall: how.stall, Progress: tell}
		var report *prune.Report
		var failure error
		in.change(ctx, opts, func(opts prune.ExecuteOptions) { report, failure = prune.Execute(ctx, in.store, plan, opts) })
		if report == nil {
			return didNothing(ctx, failure)
		}
		o = b.told(ctx, prune.ReportDocument(report), failure)
		return nil
	})
	if err != nil {
		return b.failed("Nothing was removed", err)
	}
	return o
}

// told says what a run did. An interrupted run ends the program, with a sentence.
func (b *browsing) told(ctx context.Context, doc prune.Document, failure error) browse.Outcome {
	doc = text.Advise(doc)
	out := browse.Outcome{Changed: true, Text: b.lines(func(out *terminal.Printer) {
		text.Document(out, doc, text.How{FromFile: true, Verbose: true})
		for _, failed := range doc.Errors {
			out.Sentence("%s", failed.Reason)
		}
	})}
	said := *b.process.withErrors(io.Discard)
	if ctx.Err() != nil {
		said.stderr = b.stderr
	}
	out.Err = said.outcome(ctx, doc, failure)
	return out
}

// withErrors is the process with another stream of errors.
func (p process) withErrors(w io.Writer) *process {
	p.stderr = w
	return &p
}

// failed says why something was not done.
func (b *browsing) failed(what string, err error) browse.Outcome {
	return browse.Outcome{Err: err, Text: b.lines(func(out *terminal.Printer) { out.Sentence("%s: %s", what, sentence(err)) })}
}

// Undo finds the last run that can be undone.
func (b *browsing) Undo(ctx context.Context) (*browse.Proposal, error) {
	var run prune.Run
	err := b.look(ctx, func(in *invocation) (err error) {
		run, err = in.runNamed(ctx, "", prune.ReadOptions{NoSizes: true})
		return err
	})
	if err != nil {
		return nil, errors.New(sentence(err))
	}
	return &browse.Proposal{
		Text: b.lines(func(out *terminal.Printer) { text.Undoing(out, run, b.now()) }),
		Do: func(ctx context.Context, _ bool, tell func(prune.Progress)) browse.Outcome {
			return b.undo(ctx, run, tell)
		},
	}, nil
}

func (b *browsing) undo(ctx context.Context, run prune.Run, tell func(prune.Progress)) (o browse.Outcome) {
	err := b.with(ctx, false, func(in *invocation) error {
		var undone *prune.Undone
		var failure error
		in.change(ctx, prune.ExecuteOptions{Progress: tell}, func(opts prune.ExecuteOptions) {
			undone, failure = prune.Undo(ctx, in.store, run, opts)
		})
		o = browse.Outcome{Changed: true, Err: failure, Text: b.lines(func(out *terminal.Printer) {
			text.Undone(out, undone)
			for _, s := range undone.Failed {
				out.Sentence("%s%q was not restored: %s", text.Prefix(s.Namespace), s.Name, s.Reason)
			}
		})}
		if undone.Interrupted {
			o.Err = in.undoCut(ctx, undone, run)
		}
		return nil
	})
	if err != nil {
		return b.failed("Nothing was restored", err)
	}
	return o
}

// lines lays text out for a width, once for each.
func (b *browsing) lines(show func(*terminal.Printer)) browse.Text {
	var last []string
	width := -1
	return func(w int) []string {
		if w == width {
			return last
		}
		var text bytes.Buffer
		out := b.printer(os.Stdout).Onto(&text)
		out.Width, out.Colour = w, false
		show(out)
		_ = out.Flush() // to memory
		width, last = w, strings.Split(strings.TrimRight(text.String(), "\n"), "\n")
		return last
	}
}
