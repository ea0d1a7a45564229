package prune

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// thousands is a world of so many records that a plan of them takes several
// blobs.
func thousands() (world, int) {
	w := small()
	const records = 700
	long := strings.Repeat("long", 5000)
	for i := range records {
		w["default"] = append(w["default"], record(fmt.Sprintf("%s:%d", long, i), string("ab"[i%2])))
	}
	return w, records
}

// A record that no blob has room for stays, and the run says why.
func TestRecordThatNoPlanHasRoomForStays(t *testing.T) {
	w := small()
	huge := record("huge:1", "a")
	for i := range 1100 {
		huge.Labels[fmt.Sprint("label-", i)] = strings.Repeat("x", 4000)
	}
	w["default"] = append(w["default"], huge)
	s := newScene(t, w)
	report, err := s.run(context.Background(), process(t, 1))
	if err != nil || len(report.Skipped) != 1 || !strings.Contains(report.Skipped[0].Reason, "too long to be written down") {
		t.Errorf("skipped %+v, %v", report.Skipped, err)
	}
	checkRecordNames(t, s, "huge:1")
}

// More records than one plan blob may hold go in one run, and come back in one.
func TestExecuteOfThousands(t *testing.T) {
	w, records := thousands()
	s := newScene(t, w)
	s.tape.Store = s.store
	writes := 0
	s.tape.before = func(call string) error {
		if call == "write" {
			writes++
		}
		if call == "free ctr-prune and collect" {
			return errDown
		}
		return nil
	}
	if _, err := s.run(context.Background(), process(t, 1)); !errors.Is(err, errDown) || writes != 4 || len(s.records()) != 0 {
		t.Fatalf("%v after %d plan blobs, %d records left", err, writes, len(s.records()))
	}
	s.tape.before = nil
	long := strings.Repeat("long", 5000)
	s.add(container("c", long+":399", ""))
	if report := s.recover(); len(report.Recovered[0].Untagged) != records+1 || len(report.Recovered[0].Restored) != 1 {
		t.Errorf("%d stay away, %d are back", len(report.Recovered[0].Untagged), len(report.Recovered[0].Restored))
	}
	checkRecordNames(t, s, long+":399")
}

// Killed between two of the blobs that a plan takes, a run has deleted nothing
// and left nothing that the next one minds.
func TestKilledBetweenParts(t *testing.T) {
	for killed := 1; killed <= 4; killed++ {
		w, records := thousands()
		s := newScene(t, w)
		writes := 0
		s.tape.before = func(call string) error {
			if call == "write" {
				writes++
			}
			if writes >= killed {
				return errDown
			}
			return nil
		}
		if _, err := s.run(context.Background(), process(t, 1)); !errors.Is(err, errDown) || len(s.records()) != records+2 {
			t.Fatalf("killed at %d: %v, %d records left", killed, err, len(s.records()))
		}
		s.tape.before = nil
		s.collect()
		report := s.recover()
		if len(report.Recovered) != 1 || len(report.Recovered[0].Untagged)+len(report.Recovered[0].Restored) != 0 || len(report.Untagged) != records+2 {
			t.Errorf("killed at %d: recovered %+v, then untagged %d", killed, report.Recovered, len(report.Untagged))
		}
		checkRecordNames(t, s)
	}
}

// A run that is killed while it makes its grace has deleted nothing, and the
// half of a grace does not keep the others from being listed and undone.
func TestHalfAGrace(t *testing.T) {
	w, _ := thousands()
	s := newScene(t, w)
	held := 0
	s.tape.before = func(call string) error {
		if call == "hold" {
			held++
		}
		if held == 3 {
			return errDown
		}
		return nil
	}
	execute := func(procfs leases.Procfs) error {
		_, err := run.Execute(context.Background(), s.plan(procfs), s.tape, run.ExecuteOptions{Now: started.Local, Procfs: procfs, Grace: later.Sub(started)})
		return err
	}
	before := len(s.records())
	if err := execute(process(t, 1)); !errors.Is(err, errDown) || len(s.records()) != before {
		t.Fatalf("%v, %d records left", err, len(s.records()))
	}
	s.tape.before = nil
	procfs := process(t, 2)
	if err := execute(procfs); err != nil {
		t.Fatal(err)
	}
	runs := must(undo.Runs(context.Background(), s.store, started, read.ReadOptions{Procfs: procfs}))
	if len(runs) != 2 {
		t.Fatalf("%d runs", len(runs))
	}
	back := 0
	for _, run := range runs {
		undone, err := undo.Undo(context.Background(), s.store, run, time.Now())
		if whole := len(run.Records) == before; whole != (err == nil) || !whole && !errors.Is(err, journal.ErrMissingParts) {
			t.Errorf("of %d records %d are back: %v", len(run.Records), len(undone.Restored), err)
		}
		back += len(undone.Restored)
	}
	if back != before || len(s.records()) != before {
		t.Errorf("%d of %d are back", back, before)
	}
}
