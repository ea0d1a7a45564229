package run_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A record that no blob has room for stays, and the run says why.
func TestRecordThatNoPlanHasRoomForStays(t *testing.T) {
	w := tw.Small()
	huge := tw.Record("huge:1", "a")
	for i := range 1100 {
		huge.Labels[fmt.Sprint("label-", i)] = strings.Repeat("x", 4000)
	}
	w["default"] = append(w["default"], huge)
	s := tw.NewScene(t, w)
	report, err := s.Run(context.Background(), tw.Process(t, 1))
	if err != nil || len(report.Skipped) != 1 || !strings.Contains(report.Skipped[0].Reason, "too long to be recorded") {
		t.Errorf("skipped %+v, %v", report.Skipped, err)
	}
	tw.CheckRecordNames(t, s, "huge:1")
}

// More records than one plan blob may hold go in one run, and come back in one.
func TestExecuteOfThousands(t *testing.T) {
	w, records := tw.Thousands()
	s := tw.NewScene(t, w)
	s.Tape.Store = s.Store
	writes := 0
	s.Tape.Before = func(call string) error {
		if call == "write" {
			writes++
		}
		if call == "free ctr-prune and collect" {
			return tw.ErrDown
		}
		return nil
	}
	if _, err := s.Run(context.Background(), tw.Process(t, 1)); !errors.Is(err, tw.ErrDown) || writes != 4 || len(s.Records()) != 0 {
		t.Fatalf("%v after %d plan blobs, %d records left", err, writes, len(s.Records()))
	}
	s.Tape.Before = nil
	long := strings.Repeat("long", 5000)
	s.Add(tw.Container("c", long+":399", ""))
	if report := s.Recover(); len(report.Recovered[0].Untagged) != records+1 || len(report.Recovered[0].Restored) != 1 {
		t.Errorf("%d stay away, %d are back", len(report.Recovered[0].Untagged), len(report.Recovered[0].Restored))
	}
	tw.CheckRecordNames(t, s, long+":399")
}

// Killed between two of the blobs that a plan takes, a run has deleted nothing
// and left nothing that the next one minds.
func TestKilledBetweenParts(t *testing.T) {
	for killed := 1; killed <= 4; killed++ {
		w, records := tw.Thousands()
		s := tw.NewScene(t, w)
		writes := 0
		s.Tape.Before = func(call string) error {
			if call == "write" {
				writes++
			}
			if writes >= killed {
				return tw.ErrDown
			}
			return nil
		}
		if _, err := s.Run(context.Background(), tw.Process(t, 1)); !errors.Is(err, tw.ErrDown) || len(s.Records()) != records+2 {
			t.Fatalf("killed at %d: %v, %d records left", killed, err, len(s.Records()))
		}
		s.Tape.Before = nil
		s.Collect()
		report := s.Recover()
		if len(report.Recovered) != 1 || len(report.Recovered[0].Untagged)+len(report.Recovered[0].Restored) != 0 || len(report.Untagged) != records+2 {
			t.Errorf("killed at %d: recovered %+v, then untagged %d", killed, report.Recovered, len(report.Untagged))
		}
		tw.CheckRecordNames(t, s)
	}
}
