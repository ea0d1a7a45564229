package run_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// oneRepository are the images x:00 and so on of one repository, each newer than
// the one before.
func oneRepository() tw.World {
	w := manyImages()
	for i, thing := range w["default"] {
		var number int
		if _, err := fmt.Sscanf(thing.Name, "i%d:1", &number); err == nil {
			w["default"][i].Name = fmt.Sprintf("docker.io/library/x:%02d", number)
		}
	}
	return w
}

// runBy runs by a policy, in slices.
func runBy(s *tw.Scene, policy string) (*run.Report, error) {
	s.T.Helper()
	procfs := tw.Process(s.T, 1)
	by := rules.Policy{AllNamespaces: true, Filters: tw.All(), Retention: tw.Must(retention.Parse("policy", []byte(policy)))}
	p := tw.Must(flow.ReadPlan(context.Background(), s.Store, by, time.Now(), read.ReadOptions{Procfs: procfs}))
	return run.Execute(s.T.Context(), p, s.Tape, inSlices(procfs))
}

const lastTwo = "version: 1\nrules: [{name: x, match: {names: [x]}, keep: {last: 2}}]\n"

// While a run deletes, what is left of a repository are other images than when it
// was planned. The policy of the plan restores none of them because of that, and
// what a container needs by now is restored.
func TestPolicyDuringARun(t *testing.T) {
	for _, needed := range []bool{false, true} {
		s := tw.NewScene(t, oneRepository())
		want := []string{"docker.io/library/x:28", "docker.io/library/x:29"}
		if needed {
			s.Tape.After = onSlice(2, func() error {
				s.Add(tw.Active("mine", "top27"), tw.Container("c", "docker.io/library/x:27", "mine"))
				return nil
			})
			want = append([]string{"docker.io/library/x:27"}, want...)
		}
		report, err := runBy(s, lastTwo)
		if err != nil || len(report.Restored) != len(want)-2 || len(report.Skipped) > 0 || collections(s) < 3 {
			t.Errorf("restored %+v, skipped %+v, %d collections, %v", report.Restored, report.Skipped, collections(s), err)
		}
		tw.CheckRecordNames(t, s, want...)
		tw.CheckNothingOfOurs(t, s.Store)
	}
}

// An image that would be among the last by now, because somebody removed a newer
// one since the plan was made, is skipped.
func TestPolicyAfterThePlan(t *testing.T) {
	s := tw.NewScene(t, oneRepository())
	done := false
	s.Tape.Before = func(string) error {
		if !done {
			done = true
			return s.Store.Images().Delete(s.Ctx, "docker.io/library/x:29")
		}
		return nil
	}
	report, err := runBy(s, lastTwo)
	if err != nil || len(report.Skipped) != 1 || report.Skipped[0].ReasonCode != cause.CodeNeeded {
		t.Errorf("skipped %+v, %v", report.Skipped, err)
	}
	tw.CheckRecordNames(t, s, "docker.io/library/x:27", "docker.io/library/x:28")
}

// A run that wants more than the fuse allows changes nothing.
func TestFuse(t *testing.T) {
	s := tw.NewScene(t, oneRepository())
	report, err := runBy(s, lastTwo+"fuse: {count: 27}\n")
	var coded *cause.CodeError
	if !errors.As(err, &coded) || coded.Code != cause.CodeFuse || len(report.Errors) != 1 || report.Errors[0].ReasonCode != cause.CodeFuse || len(s.Tape.Calls) > 0 {
		t.Errorf("%v, %+v, calls %q", err, report.Errors, s.Tape.Calls)
	}
	if report, err = runBy(s, lastTwo+"fuse: {count: 28}\n"); err != nil || len(report.Untagged) != sliced-2 {
		t.Errorf("%d untagged, %v", len(report.Untagged), err)
	}
}
