package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// acting is how a command does a plan, or only shows it.
type acting struct {
	output outputOptions
	html   string
	dryRun bool
	force  bool
	grace  string
	// noGuard runs without the lease and the plan blob.
	noGuard bool

	// keeps is the grace as it was understood.
	keeps time.Duration
}

const (
	flagGrace   = "grace"
	flagNoGuard = "no-guard"
)

func (o *acting) addHow(fs *pflag.FlagSet) {
	fs.BoolVar(&o.dryRun, "dry-run", false, "show what would be done and why, and do nothing")
	fs.BoolVarP(&o.force, "force", "f", false, "do not ask")
	fs.StringVar(&o.grace, flagGrace, "", "keep what is removed for this `DURATION`, such as 24h or 3d, so that ctr-prune undo can put it back; the space is freed then")
	fs.BoolVar(&o.noGuard, flagNoGuard, false, "for a full disk: write neither the lease nor the plan that guard a run; let nothing else use the store meanwhile, and do not kill it")
}

func (o *acting) addOutput(fs *pflag.FlagSet) {
	o.output.add(fs)
	addHTML(fs, &o.html)
}

// check refuses what cannot be used.
func (o *acting) check(p process) (*view, error) {
	v, err := o.output.view(p)
	if err != nil {
		return nil, err
	}
	if o.grace != "" {
		if o.keeps, err = filters.ParseAge(o.grace); err != nil {
			return nil, usagef("--%s=%s: %s", flagGrace, o.grace, err)
		}
		if o.keeps <= 0 {
			return nil, usagef("--%s=%s is not above zero: give a duration such as 24h", flagGrace, o.grace)
		}
		if o.noGuard {
			return nil, usagef("--%s and --%s contradict each other: a grace is kept by a lease", flagGrace, flagNoGuard)
		}
	}
	if err := checkHTML(p, o.html); err != nil {
		return nil, err
	}
	if !o.dryRun && !o.force && !p.isTerminal(p.stdin) {
		return nil, noTerminal("remove")
	}
	return v, nil
}

func noTerminal(verb string) error {
	return usagef("there is no terminal to ask on: give --force to %s without a question, or --dry-run to only look", verb)
}

// act shows the plan, or does it: after a question, unless -f was given.
func (o *acting) act(ctx context.Context, p process, s *session, store opened, plan *prune.Plan, v *view) error {
	doc := text.Advise(prune.PlanDocument(plan), nil)
	if o.keeps > 0 && !plan.Empty() {
		doc.Grace = &prune.Grace{Until: p.now().Add(o.keeps)} // the run has no name yet
	}
	switch {
	case o.dryRun:
		return firstError(v.show(doc), o.picture(p, plan, doc), refused(p, doc))
	case plan.Empty():
		doc = text.Advise(prune.ReportDocument(prune.NothingDone(plan)), nil)
		return firstError(v.show(doc), o.picture(p, plan, doc), refused(p, doc))
	}
	if !o.force {
		yes, err := ask(ctx, p, doc, plan.Going(), o.output.noTrunc)
		if err != nil {
			return err
		}
		if !yes {
			return p.say("Nothing was removed.")
		}
	}
	return o.execute(ctx, p, s, store, plan, v)
}

// execute does the plan and shows what came of it.
func (o *acting) execute(ctx context.Context, p process, s *session, store opened, plan *prune.Plan, v *view) error {
	opts := prune.ExecuteOptions{Now: p.now, Sources: store.sources, Grace: o.keeps, NoGuard: o.noGuard}
	if v.live != nil {
		v.live.begin(text.Advise(prune.PlanDocument(plan), nil))
		opts.Event = v.live.happened
	}
	bar := s.progress(ctx, p)
	opts.Progress = both(v.stages(), bar.tell)
	var report *prune.Report
	var err error
	whole(func() { report, err = prune.Execute(ctx, store.Store, plan, opts) })
	bar.stop()
	if report == nil {
		var busy *leases.Busy
		if errors.As(err, &busy) {
			return busy
		}
		return stopped(ctx, err)
	}
	doc := text.Advise(prune.ReportDocument(report), err)
	return firstError(v.show(doc), o.picture(p, plan, doc), o.outcome(ctx, p, doc, err))
}

// ask sums up what would go and asks whether it may. It returns an error if
// the context ends before an answer.
func ask(ctx context.Context, p process, doc prune.Document, going []prune.Going, whole bool) (bool, error) {
	out := p.printer(p.stderr)
	out.Whole = whole
	text.Summary(out, doc, going)
	for {
		answer, err := question(ctx, p, out, "Remove them? [y/N/d] ", true)
		if err != nil || answer != terminal.Details {
			return answer == terminal.Yes, err
		}
		if err := p.details(ctx, doc, whole); err != nil {
			return false, err
		}
	}
}

// question asks one question, see [terminal.Ask].
func question(ctx context.Context, p process, out *terminal.Printer, text string, details bool) (string, error) {
	answer, err := terminal.Ask(ctx, p.stdin, out, text, details)
	return answer, stopped(ctx, err)
}

// details shows a whole plan on the terminal: through $PAGER if that is set,
// else as it is.
func (p process) details(ctx context.Context, doc prune.Document, whole bool) error {
	out := p.printer(p.stderr)
	out.Whole = whole
	pager := p.getenv("PAGER")
	if pager == "" || p.page == nil || !p.isTerminal(p.stderr) {
		text.Plan(out, doc)
		out.Line("")
		return out.Flush()
	}
	err := p.page(ctx, pager, func(w io.Writer) error {
		out := out.Onto(w)
		text.Plan(out, doc)
		return out.Flush()
	})
	if err != nil && ctx.Err() == nil {
		return p.say("ctr-prune: $PAGER failed: %s", err)
	}
	return stopped(ctx, err)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
