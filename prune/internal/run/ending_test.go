package run_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// whenCollecting runs small() and calls do when it collects, with the function
// that interrupts it, in a time of its own.
func whenCollecting(t *testing.T, do func(ctx context.Context, interrupt func())) (*run.Report, error) {
	t.Helper()
	s := tw.NewScene(t, tw.Small())
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	s.Tape.Before = tw.On("free ctr-prune and collect", func() error { do(ctx, interrupt); return nil })
	return s.Run(ctx, proc.Procfs{})
}

// However long a collection takes, the run tells what it did: only an
// interruption bounds it, and then measuring has time of its own.
func TestLongCollectionIsMeasured(t *testing.T) {
	for name, do := range map[string]func(context.Context, func()){
		"undisturbed": func(context.Context, func()) { time.Sleep(10 * run.DefaultFinish) },
		"interrupted on the way": func(_ context.Context, interrupt func()) {
			time.Sleep(run.DefaultFinish)
			interrupt()
			time.Sleep(run.DefaultFinish / 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report, err := whenCollecting(t, do)
				if !report.Measured || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 3 {
					t.Errorf("measured %v, untagged %v, reclaimed %+v, %v", report.Measured, report.Untagged, report.Reclaimed, err)
				}
			})
		})
	}
}

// An interruption ends what follows the deletions, some time later, and what
// was done until then is measured all the same.
func TestInterruptionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tw.NewScene(t, tw.Small())
		ctx, interrupt := context.WithCancel(t.Context())
		held := heldLeases{Manager: s.Tape.Leases(), began: interrupt}
		began := time.Now()
		report, err := run.Execute(ctx, s.Plan(proc.Procfs{}), leasesOf{s.Tape, held}, run.ExecuteOptions{Now: time.Now})
		if took := time.Since(began); took != run.DefaultFinish || err == nil || !report.Measured || len(report.Untagged) != 2 {
			t.Errorf("after %s: measured %v, %v", took, report.Measured, err)
		}
	})
}

// leasesOf is a store with other leases.
type leasesOf struct {
	store.Store
	manager leases.Manager
}

func (s leasesOf) Leases() leases.Manager { return s.manager }

// An interruption that comes when nothing is left to do interrupted nothing.
func TestInterruptedWhenAllIsDone(t *testing.T) {
	for _, at := range []string{"delete x:1", "free ctr-prune and collect"} {
		s := tw.NewScene(t, tw.Small())
		ctx, interrupt := context.WithCancel(t.Context())
		other := make(chan struct{})
		s.Tape.Before = func(call string) error {
			if call == "delete x:1" {
				<-other
			}
			return nil
		}
		s.Tape.After = func(call string) error {
			switch {
			case call == "delete x:2":
				close(other)
			case strings.HasPrefix(call, at):
				interrupt()
			}
			return nil
		}
		report, err := s.Run(ctx, proc.Procfs{})
		if err != nil || report.Interrupted || len(report.Untagged) != 2 || ctx.Err() == nil {
			t.Errorf("%s: interrupted %v, untagged %v, %v", at, report.Interrupted, report.Untagged, err)
		}
	}
}

// heldLeases never ends a collection by itself.
type heldLeases struct {
	leases.Manager
	began func()
}

func (m heldLeases) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	var o leases.DeleteOptions
	for _, opt := range opts {
		tw.Must(0, opt(ctx, &o))
	}
	if !o.Synchronous {
		return m.Manager.Delete(ctx, lease, opts...)
	}
	m.began()
	<-ctx.Done()
	return ctx.Err()
}
