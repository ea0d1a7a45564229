package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// pruneOptions are the flags of a prune.
type pruneOptions struct {
	session
	acting
	debug bool
}

// runPrune is the command: everything that can be refused is refused before
// the store is opened, and nothing is removed before it was shown or -f given.
func runPrune(ctx context.Context, p process, o *pruneOptions) error {
	policy, err := o.session.check(p)
	if err != nil {
		return err
	}
	v, err := o.acting.check(p)
	if err != nil {
		return err
	}
	return o.with(ctx, p, func(ctx context.Context, store opened) error {
		plan, err := o.plan(ctx, p, store, policy, v)
		if err != nil {
			return err
		}
		return o.act(ctx, p, &o.session, store, plan, v)
	})
}

// plan reads the store and decides.
func (o *pruneOptions) plan(ctx context.Context, p process, store opened, policy prune.Policy, v *view) (*prune.Plan, error) {
	return o.planned(ctx, p, store, policy, prune.ReadOptions{AllSizes: o.html != "", Progress: v.stages()})
}

// outcome tells what went wrong and returns it as an exit code. The document
// has the texts of the errors, of which cause is made.
func (o *acting) outcome(ctx context.Context, p process, doc prune.Document, cause error) error {
	for _, text := range doc.Errors {
		if err := p.say("ctr-prune: %s", text); err != nil {
			return err
		}
	}
	err := refused(p, doc)
	var busy *leases.Busy
	switch {
	case errors.As(cause, &busy): // it has finished a killed run elsewhere before
		return &saidError{exitBusy}
	case doc.Interrupted:
		return firstError(p.say("ctr-prune: %s; run it again for the rest", cut(ctx, doc)), &saidError{exitInterrupted})
	case ctx.Err() != nil && len(doc.Errors) > 0: // it came when the run was about to end
		return &saidError{exitInterrupted}
	case len(doc.Errors) > 0:
		return &saidError{exitFailed}
	}
	return err
}

// cut says how far a run came that was stopped.
func cut(ctx context.Context, doc prune.Document) string {
	planned := doc.Counts.Remove + doc.Counts.StandIn
	if !doc.Measured || len(doc.Removed) >= planned { // all that is left are uploads
		return context.Cause(ctx).Error()
	}
	return fmt.Sprintf("%s after %d of %s", context.Cause(ctx), len(doc.Removed), terminal.Count(planned, "image record"))
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
	out.Line("%s", fmt.Sprintf(format, args...))
	return out.Flush()
}
