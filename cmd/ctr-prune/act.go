package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/filters/spelling"
	"github.com/ctr-prune/ctr-prune/prune"
)

// actOptions are the flags of the commands that carry out a plan or only show
// it: prune and apply.
type actOptions struct {
	commonOptions
	dryRun   bool
	force    bool
	grace    string
	maxStall string
	// noGuard runs without the lease and the plan blob.
	noGuard bool
	// wait says to wait for another run instead of giving up.
	wait bool

	// keeps is the parsed grace period.
	keeps time.Duration
	// stall is the parsed limit of a collection, negative if there is none.
	stall time.Duration
	// fromFile says that the plan is read from a file.
	fromFile bool
	// sort and top order and shorten what is shown, and verbose lists all that was
	// removed.
	sort    string
	top     int
	verbose bool
}

const (
	flagGrace   = "grace"
	flagNoGuard = "no-guard"
	flagStall   = "max-stall"
	flagSort    = "sort"
	flagTop     = "top"
	flagVerbose = "verbose"
)

func (o *actOptions) addHow(fs *pflag.FlagSet) {
	fs.BoolVar(&o.dryRun, "dry-run", false, "show what would be done and why, and change nothing")
	addForce(fs, &o.force)
	o.addGrace(fs)
	o.addStall(fs)
	fs.BoolVar(&o.wait, "wait", false, "if another run is in progress in a namespace, wait until it ends, at most as long as --timeout says, instead of exiting with 3")
	fs.BoolVar(&o.noGuard, flagNoGuard, false, "for a full disk: do not write the lease and the plan that guard a run; let nothing else use the store meanwhile, and do not kill the run")
}

// addForce adds --force, and --yes, which other programs call it.
func addForce(fs *pflag.FlagSet, force *bool) {
	fs.BoolVarP(force, "force", "f", false, "do not ask for confirmation; the same as -y, --yes")
	fs.BoolVarP(force, "yes", "y", false, "the same as --force")
	fs.Lookup("yes").Hidden = true
}

func (o *actOptions) addGrace(fs *pflag.FlagSet) {
	fs.StringVar(&o.grace, flagGrace, "", "keep the content of removed images for this `DURATION`, such as 24h or 3d, so that ctr-prune undo can restore them; the space is freed after that")
}

func (o *actOptions) addStall(fs *pflag.FlagSet) {
	fs.StringVar(&o.maxStall, flagStall, "250ms", "collect what is removed in parts, so that nobody waits much longer than this `DURATION` for a garbage collection: no container can be created meanwhile; 0 or none collects everything at once")
}

func (o *actOptions) addOutput(fs *pflag.FlagSet) {
	fs.StringVar(&o.sort, flagSort, "", "sort the images of a dry run by `KEY`: "+strings.Join(text.Orders(), ", ")+"; a leading - reverses the order, what goes comes before what stays, and the question is sorted as well")
	fs.IntVar(&o.top, flagTop, 0, "show only the first `N` images of a dry run; the question does so as well")
	fs.BoolVar(&o.verbose, flagVerbose, false, "after a run, list all that was removed, also if that is many lines")
	o.output.add(fs, "each image, such as '{{.Name}}' or 'table {{.Name}}\\t{{.Reason}}'", "the names of the images to be removed")
	o.output.addHTML(fs)
}

// refuse returns an error for flags that cannot be used.
func (o *actOptions) refuse(context.Context, *invocation) error {
	if o.grace != "" {
		if err := o.refuseGrace(); err != nil {
			return err
		}
	}
	return firstError(o.refuseShown(), o.refuseStall())
}

// shown is how plans and reports are shown.
func (o *actOptions) shown() text.How {
	return text.How{FromFile: o.fromFile, Sort: o.sort, Top: o.top, Verbose: o.verbose}
}

// refuseShown refuses what is typed of how images are shown where it shows nothing
// else.
func (o *actOptions) refuseShown() error {
	whole := o.output.format == format.JSON || o.output.format == format.Lines
	switch key := strings.TrimPrefix(o.sort, "-"); {
	case o.sort != "" && !slices.Contains(text.Orders(), key):
		return usagef("--%s %q is unknown: %schoose one of %s", flagSort, o.sort, spelling.Hint(key, "", text.Orders()), strings.Join(text.Orders(), ", "))
	case o.top < 0:
		return usagef("--%s=%d is below zero: give how many images to show", flagTop, o.top)
	case o.top > 0 && whole:
		return usagef("--%s does not shorten --format %s, which is always whole: leave it out, or choose a table or a template", flagTop, o.output.format)
	case o.force && !o.dryRun && o.sort != "":
		return usagef("--%s is for what --dry-run or the question shows, and --force asks none: leave one of them out", flagSort)
	case o.force && !o.dryRun && o.top > 0:
		return usagef("--%s is for what --dry-run or the question shows, and --force asks none: leave one of them out", flagTop)
	case o.verbose && (o.dryRun || !o.output.table()):
		return usagef("--%s is for the table after a run, and a dry run, --quiet and --format list everything in any case: leave it out", flagVerbose)
	}
	return nil
}

// changes is false for a dry run.
func (o *actOptions) changes() bool { return !o.dryRun }

func (o *actOptions) refuseGrace() (err error) {
	o.keeps, err = filters.ParseAge(o.grace)
	switch {
	case err != nil:
		return usagef("--%s=%s: %s", flagGrace, o.grace, err)
	case o.keeps <= 0:
		return usagef("--%s=%s is not above zero: give a duration such as 24h", flagGrace, o.grace)
	case o.noGuard:
		return usagef("--%s and --%s contradict each other: a grace period needs a lease", flagGrace, flagNoGuard)
	case o.policy.relief.given():
		return usagef("--%s contradicts --%s and --%s: what is kept for a while frees nothing", flagGrace, flagFree, flagLow)
	}
	return nil
}

func (o *actOptions) refuseStall() (err error) {
	if o.maxStall == "0" || o.maxStall == "none" {
		o.stall = -1
		return nil
	}
	if o.stall, err = filters.ParseAge(o.maxStall); err != nil || o.stall <= 0 {
		return usagef("--%s=%s is not a duration above zero: give one such as 250ms, or none for no limit", flagStall, o.maxStall)
	}
	return nil
}

// askable returns an error if a question would have to be asked and nobody is there.
// Call it when the store was read, because what else is wrong is more important.
func (in *invocation) askable(force bool, what string) error {
	if force || in.isTerminal(in.stdin) {
		return nil
	}
	return usagef("there is no terminal to ask on: use --force to %s", what)
}

// do reads the store, decides, and shows the plan or carries it out, after a
// confirmation unless -f was given.
func (o *actOptions) do(ctx context.Context, in *invocation, out *format.Output[imageRow]) error {
	v := in.view(o.output, out)
	v.how = o.shown()
	plan, err := in.plan(ctx, prune.ReadOptions{AllSizes: o.output.html != "", OnlyGoing: o.force && !o.dryRun, Origins: o.output.html != "", Progress: v.stages()})
	if err != nil {
		return err
	}
	doc := text.Advise(prune.PlanDocument(plan))
	if !o.dryRun {
		if err := in.askable(o.force, "remove without asking, or --dry-run to only look"); err != nil {
			_ = in.refused(doc) // the lines matter, not the exit code
			return err
		}
		if err := in.noteUse(ctx, plan); err != nil {
			return err
		}
	}
	if o.keeps > 0 && !plan.Empty() {
		doc.Grace = &prune.Grace{Until: in.now().Add(o.keeps)} // the run has no name yet
	}
	switch {
	case o.dryRun:
		return firstError(v.show(doc), in.picture(plan, doc), in.refused(doc), in.short(plan.Relief))
	case plan.Fuse != nil:
		report, err := prune.Execute(ctx, in.store, plan, prune.ExecuteOptions{Now: in.now})
		doc = text.Advise(prune.ReportDocument(report))
		return firstError(v.show(doc), in.picture(plan, doc), in.outcome(ctx, doc, err))
	case plan.Empty() && (plan.Relief == nil || len(plan.Relief.Dropped) == 0):
		report, _ := prune.Execute(ctx, in.store, plan, prune.ExecuteOptions{Now: in.now}) // refused tells the error
		doc = text.Advise(prune.ReportDocument(report))
		return firstError(v.show(doc), in.picture(plan, doc), in.refused(doc), in.short(plan.Relief), in.namedKept(doc))
	}
	if yes, err := o.sure(ctx, in, doc); err != nil || !yes {
		return err
	}
	return o.execute(ctx, in, v, plan)
}

// execute carries out the plan and shows the result.
func (o *actOptions) execute(ctx context.Context, in *invocation, v *view, plan *prune.Plan) error {
	opts := prune.ExecuteOptions{Grace: o.keeps, NoGuard: o.noGuard, MaxStall: o.stall, Progress: v.stages()}
	if v.live != nil {
		v.live.begin(text.Advise(prune.PlanDocument(plan)))
		opts.Event = v.live.happened
	}
	if plan.Relief != nil {
		return o.relieve(ctx, in, v, plan, opts)
	}
	var report *prune.Report
	var err error
	in.change(ctx, opts, func(opts prune.ExecuteOptions) {
		o.patiently(ctx, in, func() error {
			report, err = prune.Execute(ctx, in.store, plan, opts)
			return err
		})
	})
	if report == nil {
		return didNothing(ctx, err)
	}
	doc := text.Advise(prune.ReportDocument(report))
	return firstError(v.show(doc), in.picture(plan, doc), in.outcome(ctx, doc, err), in.namedKept(doc))
}

// betweenTries is how long --wait rests before it tries again.
const betweenTries = 500 * time.Millisecond

// patiently tries once or, with --wait, until no other run is in progress. What has
// changed in the store since the plan was made is skipped then, as ever.
func (o *actOptions) patiently(ctx context.Context, in *invocation, try func() error) {
	told := false
	for {
		busy := busyOf(try())
		if !o.wait || busy == nil {
			return
		}
		if !told {
			told = true
			_ = in.caution("%s; waiting for it", busy) // the run matters more than the line
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(betweenTries):
		}
	}
}

// namedKept says why images stay that the arguments name. This is a failure, as it
// is for other programs that remove images.
func (in *invocation) namedKept(doc prune.Document) error {
	kept := text.NamedAndKept(doc)
	if len(in.options.policy.arguments.names) == 0 || len(kept) == 0 {
		return nil
	}
	for _, image := range kept {
		if err := in.fault("%s%q is kept: %s", text.Prefix(image.Namespace), image.Name, image.Reason); err != nil {
			return err
		}
	}
	return &saidError{exitFailed}
}

// picture writes the page of a plan or a report, if one was asked for.
func (in *invocation) picture(plan *prune.Plan, doc prune.Document) error {
	path := in.options.output.html
	if path == "" {
		return nil
	}
	return in.writePage(path, htmlreport.Page{Usage: text.AdviseUsage(prune.Usage(plan, true)), Document: &doc, Generated: in.now()})
}

// sure asks for confirmation of a plan, unless -f was given.
func (o *actOptions) sure(ctx context.Context, in *invocation, doc prune.Document) (bool, error) {
	if o.force {
		return true, nil
	}
	yes, err := ask(ctx, in.process, doc, o.shown(), o.output.noTrunc)
	if err == nil && !yes {
		err = in.say("Nothing was removed.")
	}
	return yes, err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
