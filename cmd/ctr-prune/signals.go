package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

var errSignal = errors.New("interrupted")

// withSignals returns a context that ends at the first SIGINT, SIGTERM or
// SIGHUP. The second one calls exit with 130 at once: a user who presses Ctrl-C
// twice does not want to wait, and the next run finishes this one. A SIGHUP
// that is ignored, as under nohup, stays ignored. After keepHangup SIGHUP has
// another meaning, for which somebody else waits.
func withSignals(ctx context.Context, exit func(int)) (_ context.Context, keepHangup, stop func()) {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, signals...)
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var kept atomic.Bool
	go func() {
		for count := 0; ; {
			select {
			case <-done:
				return
			case s := <-ch:
				if s == syscall.SIGHUP && kept.Load() {
					continue
				}
				if count++; count > 1 {
					exit(exitInterrupted)
				}
				cancel(errSignal)
			}
		}
	}()
	return ctx, func() { kept.Store(true) }, func() {
		signal.Stop(ch)
		close(done)
		cancel(nil)
	}
}

// whole calls do, which changes a store. Meanwhile a write to a closed pipe, as
// in ctr-prune --format jsonl | head, only fails and does not end the program.
func whole(do func()) {
	if !signal.Ignored(syscall.SIGPIPE) {
		signal.Ignore(syscall.SIGPIPE)
		defer signal.Reset(syscall.SIGPIPE)
	}
	do()
}
