package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/log"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// pruneOptions are the flags of a prune.
type pruneOptions struct {
	store   storeOptions
	policy  policyOptions
	clients clientOptions
	output  outputOptions
	dryRun  bool
	force   bool
	debug   bool
}

// runPrune is the command: everything that can be refused is refused before
// the store is opened, and nothing is removed before it was shown or -f given.
func runPrune(ctx context.Context, p process, o *pruneOptions) (err error) {
	v, policy, err := o.check(p)
	if err != nil {
		return err
	}
	sources, err := o.clients.sources()
	if err != nil {
		return err
	}
	ctx, cancel := o.store.limit(ctx)
	defer cancel()
	store, err := o.store.open(ctx, p.getenv)
	if err != nil {
		return stopped(ctx, err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if sources, err = o.clients.docker.source(sources, store); err != nil {
		return err
	}

	plan, err := o.plan(ctx, p, store, policy, sources)
	if err != nil {
		return stopped(ctx, err)
	}
	doc := plan.Document()
	switch {
	case o.dryRun:
		err = v.show(doc)
	case plan.Empty():
		err = v.show(plan.Nothing().Document())
	default:
		return o.execute(ctx, p, store, plan, sources, v)
	}
	return firstError(err, refused(p, doc))
}

// check refuses what cannot be used.
func (o *pruneOptions) check(p process) (view, prune.Policy, error) {
	if err := o.store.check(); err != nil {
		return nil, prune.Policy{}, err
	}
	if err := o.clients.docker.choose(p, o.store.root != ""); err != nil {
		return nil, prune.Policy{}, err
	}
	policy, err := o.policy.policy(p.getenv, p.now())
	if err != nil {
		return nil, prune.Policy{}, err
	}
	v, err := o.output.view(p)
	if err != nil {
		return nil, prune.Policy{}, err
	}
	if !o.dryRun && !o.force && !p.isTerminal(p.stdin) {
		return nil, prune.Policy{}, usagef("there is no terminal to ask on: give --force to remove without a question, or --dry-run to only look")
	}
	return v, policy, nil
}

// plan reads the store and decides.
func (o *pruneOptions) plan(ctx context.Context, p process, store prune.Store, policy prune.Policy, sources []prune.Source) (*prune.Plan, error) {
	bar := o.progress(ctx, p)
	defer bar.stop()
	now := p.now()
	inv, err := prune.Read(ctx, store, policy, now, prune.ReadOptions{Sources: sources, Progress: bar.tell})
	if err != nil {
		return nil, &unreadableError{err}
	}
	log.G(ctx).Debugf("read %d namespaces of %s %s in %s", len(inv.Namespaces), inv.Store.Kind, inv.Store.Location, p.now().Sub(now))
	return inv.Plan(policy, now)
}

// progress is off while logs are written to the same stream.
func (o *pruneOptions) progress(ctx context.Context, p process) *progress {
	if o.debug {
		return nil
	}
	return newProgress(ctx, p)
}

// execute asks if it has to, does the plan and shows what came of it.
func (o *pruneOptions) execute(ctx context.Context, p process, store prune.Store, plan *prune.Plan, sources []prune.Source, v view) error {
	if !o.force {
		yes, err := ask(ctx, p, plan.Document(), o.output.noTrunc)
		if err != nil {
			return err
		}
		if !yes {
			return p.say("Nothing was removed.")
		}
	}
	bar := o.progress(ctx, p)
	report, err := plan.Execute(ctx, store, prune.ExecuteOptions{Now: p.now, Sources: sources, Progress: bar.tell})
	bar.stop()
	if report == nil {
		var busy *leases.Busy
		if errors.As(err, &busy) {
			return busy
		}
		return stopped(ctx, err)
	}
	doc := report.Document()
	return firstError(v.show(doc), o.outcome(ctx, p, doc))
}

// outcome tells what went wrong and returns it as an exit code.
func (o *pruneOptions) outcome(ctx context.Context, p process, doc prune.Document) error {
	for _, text := range doc.Errors {
		if err := p.say("ctr-prune: %s", text); err != nil {
			return err
		}
	}
	err := refused(p, doc)
	switch {
	case doc.Interrupted:
		return firstError(p.say("ctr-prune: %s; run it again for the rest", cut(ctx, doc)), &saidError{exitInterrupted})
	case ctx.Err() != nil:
		return &saidError{exitInterrupted}
	case len(doc.Errors) > 0:
		return &saidError{exitFailed}
	}
	return err
}

// cut says how far a run came that was stopped.
func cut(ctx context.Context, doc prune.Document) string {
	if !doc.Measured {
		return context.Cause(ctx).Error()
	}
	planned := doc.Counts.Remove + doc.Counts.StandIn
	return fmt.Sprintf("%s after %d of %s", context.Cause(ctx), len(doc.Removed), plural(planned, "image record"))
}

// refused tells which namespaces were left alone. That they were asked for
// makes it a failure.
func refused(p process, doc prune.Document) error {
	if len(doc.Refused) == 0 {
		return nil
	}
	for _, r := range doc.Refused {
		if err := p.say("ctr-prune: %s", r.Error()); err != nil {
			return err
		}
	}
	return &saidError{exitFailed}
}

// say writes a sentence to stderr.
func (p process) say(format string, args ...any) error {
	out := p.printer(p.stderr)
	out.line("%s", fmt.Sprintf(format, args...))
	return out.flush()
}
