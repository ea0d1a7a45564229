package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/log"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// session is what every command that works on a store has: which store, which
// of its namespaces and what may go from them, and who else uses images.
type session struct {
	store   storeOptions
	policy  policyOptions
	clients clientOptions
	debug   *bool
}

// check refuses what cannot be used, before a store is opened.
func (s *session) check(p process) (prune.Policy, error) {
	if err := s.store.check(); err != nil {
		return prune.Policy{}, err
	}
	if err := s.chooseClients(p); err != nil {
		return prune.Policy{}, err
	}
	return s.policy.policy(p.getenv, p.now())
}

// chooseClients settles whom to ask for uses, for commands that have the flags.
func (s *session) chooseClients(p process) error {
	if s.clients.docker.flags == nil {
		return nil
	}
	return s.clients.docker.choose(p, s.store.root != "")
}

// with opens the store and calls fn.
func (s *session) with(ctx context.Context, p process, fn func(context.Context, opened) error) (err error) {
	var o opened
	if s.clients.kubelet.flags != nil {
		if o.sources, err = s.clients.sources(p); err != nil {
			return err
		}
	}
	ctx, cancel := s.store.limit(ctx)
	defer cancel()
	if o.Store, err = s.store.open(ctx, p.getenv); err != nil {
		return stopped(ctx, err)
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	if o.sources, err = s.clients.docker.source(o.sources, o.Store, s.store.insecure); err != nil {
		return err
	}
	return fn(ctx, o)
}

// opened is a store with those who know what its images are needed for.
type opened struct {
	prune.Store
	sources []prune.Source
}

// planned reads the store and decides by a policy.
func (s *session) planned(ctx context.Context, p process, o opened, policy prune.Policy, opts prune.ReadOptions) (plan *prune.Plan, err error) {
	_, err = s.reading(ctx, p, o, opts, func(now time.Time, opts prune.ReadOptions) error {
		plan, err = prune.ReadPlan(ctx, o.Store, policy, now, opts)
		return err
	})
	return plan, err
}

// reading runs what reads the store, with progress on a terminal.
func (s *session) reading(ctx context.Context, p process, o opened, opts prune.ReadOptions, do func(time.Time, prune.ReadOptions) error) (time.Time, error) {
	bar := s.progress(ctx, p)
	defer bar.stop()
	now := p.now()
	opts.Sources, opts.Progress = o.sources, both(opts.Progress, bar.tell)
	if err := do(now, opts); err != nil {
		return now, stopped(ctx, &unreadableError{err})
	}
	log.G(ctx).Debugf("read the store in %s", p.now().Sub(now))
	return now, nil
}

// both tells two of the same; either may be nil.
func both[T any](a, b func(T)) func(T) {
	if a == nil {
		return b
	}
	return func(v T) { a(v); b(v) }
}

// progress is off while logs are written to the same stream.
func (s *session) progress(ctx context.Context, p process) progress {
	if s.debug != nil && *s.debug {
		return progress{}
	}
	return newProgress(ctx, p)
}

// progress shows how far a run has come; the zero value shows nothing.
type progress struct{ line *terminal.Progress }

// newProgress starts to show progress on stderr if that is a terminal that
// can erase a line. Call stop before anything else is written.
func newProgress(ctx context.Context, p process) progress {
	width, isTerminal := p.columns(p.stderr)
	if !isTerminal || p.getenv("TERM") == "dumb" {
		return progress{}
	}
	line := &terminal.Progress{
		Out: p.stderr, Width: width, Now: p.now, Text: progressText,
		Stopping: func() bool { return ctx.Err() != nil },
	}
	line.Start()
	return progress{line}
}

// tell notes how far a stage has come. Safe for concurrent use.
func (b progress) tell(p prune.Progress) {
	b.line.Tell(terminal.Stage{Name: string(p.Stage), Done: p.Done, Total: p.Total})
}

func (b progress) stop() { b.line.Stop() }

// progressText describes a stage that has lasted for some time.
func progressText(p terminal.Stage, lasted time.Duration) string {
	seconds := lasted.Round(time.Second)
	rate := float64(p.Done) / max(lasted.Seconds(), 0.001)
	switch {
	case p.Name == string(prune.StageCollect):
		return fmt.Sprintf("Collecting garbage, %s", seconds)
	case p.Name == string(prune.StageMeasure):
		return fmt.Sprintf("Measuring what is gone, %s", seconds)
	case p.Total > 0 && p.Done > 0:
		left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second)).Round(time.Second)
		return fmt.Sprintf("Removing records: %d of %d, %.0f/s, %s left", p.Done, p.Total, rate, left)
	case p.Total > 0:
		return fmt.Sprintf("Removing records: %d of %d", p.Done, p.Total)
	}
	return fmt.Sprintf("Reading the store: %d objects, %s", p.Done, seconds)
}
