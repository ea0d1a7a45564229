package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// An error does not mean that nothing was deleted, and no error does not mean
// that something was: only what is seen gone counts.
func TestExecuteBelievesOnlyItsEyes(t *testing.T) {
	t.Run("deleted, with an error", func(t *testing.T) {
		s := tw.NewScene(t, tw.Small())
		s.Tape.After = tw.On("delete x:1", func() error { return tw.ErrDisk })
		report, err := s.Run(context.Background(), tw.Process(t, 1))
		if err != nil || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 3 {
			t.Errorf("%+v, %v", report, err)
		}
	})
	t.Run("not deleted, with an error", func(t *testing.T) {
		s := tw.NewScene(t, tw.Small())
		s.Tape.Before = tw.On("delete x:1", func() error { return tw.ErrDisk })
		report, err := s.Run(context.Background(), tw.Process(t, 1))
		if !errors.Is(err, tw.ErrDisk) || !strings.Contains(err.Error(), `deleting image "x:1" in namespace "default"`) {
			t.Errorf("got %v", err)
		}
		if len(report.Untagged) != 1 || report.Untagged[0].Name != "x:2" || report.Reclaimed.Blobs != 1 {
			t.Errorf("%+v", report)
		}
		want := cause.Cause{Reason: err.Error(), ReasonCode: cause.CodeNotDeleted, ReasonParts: &cause.Parts{Namespace: "default", Image: "x:1"}}
		if diff := cmp.Diff([]cause.Cause{want}, report.Errors); diff != "" {
			t.Errorf("errors (-want +got):\n%s", diff)
		}
		tw.CheckRecordNames(t, s, "x:1")
		tw.CheckNothingOfOurs(t, s.Store)
	})
	t.Run("not deleted, without an error", func(t *testing.T) {
		s := tw.NewScene(t, tw.Small())
		s.Tape.After = tw.On("delete x:1", func() error {
			s.Add(tw.Record("x:1", "a"))
			return nil
		})
		report, err := s.Run(context.Background(), tw.Process(t, 1))
		if err != nil || len(report.Untagged) != 1 || report.Untagged[0].Name != "x:2" || report.Reclaimed.Blobs != 1 {
			t.Errorf("%+v, %v", report, err)
		}
		if len(report.Changes) != 2 || report.Changes[0].ReasonCode != cause.CodeStillHeld || !strings.Contains(report.Changes[0].Reason, `held by image "x:1"`) {
			t.Errorf("changes %+v", report.Changes)
		}
	})
	t.Run("gone, says the error", func(t *testing.T) {
		s := tw.NewScene(t, tw.Small())
		s.Tape.Before = tw.On("delete x:1", func() error { return tw.Must(error(nil), s.Store.Images().Delete(s.Ctx, "x:1")) })
		report, err := s.Run(context.Background(), tw.Process(t, 1))
		if err != nil || len(report.Skipped) != 1 || !strings.Contains(report.Skipped[0].Reason, "somebody else has removed it") {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// In one transaction either all go or none.
func TestExecuteTransactionFails(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	s.Tape.Store = s.Store
	s.Tape.Before = tw.On("delete x:2", func() error { return tw.ErrDisk })
	report, err := s.Run(context.Background(), tw.Process(t, 1))
	if !errors.Is(err, tw.ErrDisk) || len(report.Untagged) != 0 || report.Reclaimed != (inventory.Amount{}) {
		t.Errorf("%+v, %v", report, err)
	}
	tw.CheckRecordNames(t, s, "x:1", "x:2")
	tw.CheckNothingOfOurs(t, s.Store)
}

// Without the plan in the store nothing is deleted.
func TestExecuteCannotWriteItsPlan(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	s.Tape.Before = tw.On("write", func() error { return tw.ErrDisk })
	report, err := s.Run(context.Background(), tw.Process(t, 1))
	if !errors.Is(err, tw.ErrDisk) || !strings.Contains(err.Error(), "nothing was removed") {
		t.Errorf("got %v", err)
	}
	if report != nil && (len(report.Untagged) > 0 || report.Measured) {
		t.Errorf("reported %+v", report)
	}
	if strings.Contains(s.Tape.Script(), "delete") || strings.Contains(s.Tape.Script(), "collect") {
		t.Errorf("did %s", s.Tape.Script())
	}
	tw.CheckRecordNames(t, s, "x:1", "x:2")
	tw.CheckNothingOfOurs(t, s.Store)
}

// A record whose stand-in cannot be made stays; the others go.
func TestExecuteCannotMakeAStandIn(t *testing.T) {
	s := tw.NewScene(t, tw.Small(tw.Container("c", tw.Digest("a").String(), "")))
	s.Tape.Before = tw.On("create <none>@«a»", func() error { return tw.ErrDisk })
	report, err := s.Run(context.Background(), tw.Process(t, 1))
	if !errors.Is(err, tw.ErrDisk) || len(report.Untagged) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	tw.CheckRecordNames(t, s, "x:1")
}

// A stand-in's name that another image got since the plan is none.
func TestExecuteStandInTaken(t *testing.T) {
	for text, left := range map[string][]string{"e": {"<none>@«a»", "x:1"}, "a": {"<none>@«a»"}} {
		s := tw.NewScene(t, tw.Small(tw.Container("c", tw.Digest("a").String(), "")))
		s.Tape.Before = tw.On("create <none>@«a»", func() error {
			s.Add(tw.Record(rules.StandInName("default", tw.Digest("a")), text))
			return nil
		})
		_, err := s.Run(context.Background(), tw.Process(t, 1))
		if (err != nil) != (text == "e") {
			t.Errorf("taken for %s: %v", text, err)
		}
		tw.CheckRecordNames(t, s, left...)
	}
}
