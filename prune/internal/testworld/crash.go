package testworld

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

// ErrDisk is what a call answers when the disk is full.
var ErrDisk = errors.New("no space left on device")

// ErrDown is what every call answers when the daemon is gone.
var ErrDown = errors.New("transport is closing")

// Crash makes a run of a process that is gone afterwards end with the call,
// which is not made, and nothing after it.
func (s *Scene) Crash(call string) {
	s.T.Helper()
	s.CrashIn(Process(s.T, 1), call)
}

// CrashIn does that to a run of a given process.
func (s *Scene) CrashIn(procfs proc.Procfs, call string) {
	s.T.Helper()
	var down atomic.Bool
	other := make(chan struct{}) // closed when x:2 is gone: records are deleted side by side
	s.Tape.Before = func(now string) error {
		if now == "delete x:1" && now == call {
			<-other
		}
		if now == call {
			down.Store(true)
		}
		if down.Load() {
			return ErrDown
		}
		return nil
	}
	s.Tape.After = On("delete x:2", func() error { close(other); return nil })
	if _, err := s.Run(context.Background(), procfs); !errors.Is(err, ErrDown) {
		s.T.Fatalf("the run that was to crash: %v", err)
	}
	s.Tape.Before, s.Tape.After, s.Tape.Calls = nil, nil, nil
}

// Recover runs the next process.
func (s *Scene) Recover() *run.Report {
	s.T.Helper()
	report, err := s.Run(context.Background(), Process(s.T, 2))
	if err != nil {
		s.T.Fatal(err)
	}
	CheckNothingOfOurs(s.T, s.Store)
	return report
}

// NamesOf lists records by their names, with digests as in [Legend].
func NamesOf(records []inventory.Record) string {
	var names []string
	for _, r := range records {
		names = append(names, Legend(r.Name))
	}
	return strings.Join(names, ", ")
}
