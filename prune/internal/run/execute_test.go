package run_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// The order of calls is the argument that nothing is lost.
func TestExecuteInOrder(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a"),
		tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
		tw.Blob("c"), tw.Record("y:1", "c"), tw.Container("c", tw.Digest("c").String(), ""),
	}})
	report, err := s.Run(context.Background(), tw.Process(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	deletes := []string{"delete x:1", "delete y:1"}
	order := slices.IndexFunc(s.Tape.Calls, func(c string) bool { return c == deletes[0] || c == deletes[1] })
	slices.Sort(s.Tape.Calls[order : order+2]) // they are under way together
	want := "lease ctr-prune, look, write, create <none>@«c», delete x:1, delete y:1, look, label «b», look, free ctr-prune and collect, look"
	if got := s.Tape.Script(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	tw.CheckRecordNames(t, s, "<none>@«c»")
	if s.HasBlob("a") || !s.HasBlob("b") || len(report.DeletedSnapshots()) != 1 {
		t.Errorf("a %v, b %v, snapshots %v", s.HasBlob("a"), s.HasBlob("b"), report.DeletedSnapshots())
	}
	tw.CheckNothingOfOurs(t, s.Store)
}

// One collection, however many namespaces.
func TestExecuteCollectsOnce(t *testing.T) {
	w := tw.Small()
	w["other"], w["k8s.io"] = w["default"], w["default"]
	s := tw.NewScene(t, w)
	report, err := s.Run(context.Background(), tw.Process(t, 1))
	if err != nil || len(report.Untagged) != 6 || report.Reclaimed.Blobs != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	var ends []string
	for _, call := range s.Tape.Calls {
		if strings.HasPrefix(call, "free") {
			ends = append(ends, call)
		}
	}
	if diff := cmp.Diff([]string{"free ctr-prune", "free ctr-prune", "free ctr-prune and collect"}, ends); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A record that moved since the plan is not deleted, whenever it moved.
func TestExecuteLeavesWhatMoved(t *testing.T) {
	move := func(s *tw.Scene) error {
		_, err := s.Store.Images().Update(s.Ctx, images.Image{Name: "x:1", Target: tw.Descriptor("b")}, "target")
		return err
	}
	for name, when := range map[string]string{"before the run": "", "while it writes its plan": "write", "right before its deletion": "delete x:1"} {
		for _, transactional := range []bool{false, true} {
			if transactional && when == "delete x:1" {
				continue // nothing comes between the comparison and the deletion in one transaction
			}
			t.Run(fmt.Sprintf("%s, in a transaction %v", name, transactional), func(t *testing.T) {
				s := tw.NewScene(t, tw.Small())
				if transactional {
					s.Tape.Store = s.Store
				}
				plan := s.Plan(tw.Process(t, 1))
				if when == "" {
					tw.Must(0, move(s))
				}
				s.Tape.Before = tw.On(when, func() error { return move(s) })
				report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
				if err != nil {
					t.Fatal(err)
				}
				tw.CheckRecordNames(t, s, "x:1")
				if len(report.Skipped) != 1 || report.Skipped[0].Name != "x:1" || !strings.Contains(report.Skipped[0].Reason, "moved to another image") {
					t.Errorf("skipped %+v", report.Skipped)
				}
				if !s.HasBlob("b") || s.HasBlob("a") {
					t.Errorf("blob b %v, a %v", s.HasBlob("b"), s.HasBlob("a"))
				}
			})
		}
	}
}

// What changed otherwise since the plan is left alone, too.
func TestExecuteLeavesWhatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*tw.Scene)
		left   []string
		why    string
	}{
		"removed by somebody": {
			func(s *tw.Scene) { tw.Must(0, s.Store.Images().Delete(s.Ctx, "x:1")) }, nil, "somebody else has removed it",
		},
		"written again": {
			func(s *tw.Scene) {
				tw.Must(0, s.Store.Images().Delete(s.Ctx, "x:1"))
				s.Add(tw.Record("x:1", "a", tw.Labelled("team", "red")))
			},
			[]string{"x:1"}, "it has been updated",
		},
		"pinned": {
			func(s *tw.Scene) {
				tw.Must(s.Store.Images().Update(s.Ctx, images.Image{Name: "x:1", Labels: map[string]string{rules.LabelKeep: "yes"}}, "labels"))
			},
			[]string{"x:1"}, "it has been updated",
		},
		"in use": {
			func(s *tw.Scene) { s.Add(tw.Container("c", "x:1", "")) }, []string{"x:1"}, "in use by container c",
		},
		"in use by its digest": {
			func(s *tw.Scene) { s.Add(tw.Container("c", tw.Digest("a").String(), "")) }, []string{"x:1"}, "the other names of its image have changed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			plan := s.Plan(tw.Process(t, 1))
			c.change(s)
			report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
			if err != nil {
				t.Fatal(err)
			}
			tw.CheckRecordNames(t, s, c.left...)
			if len(report.Skipped) != 1 || report.Skipped[0].Name != "x:1" || !strings.Contains(report.Skipped[0].Reason, c.why) {
				t.Errorf("skipped %+v, want because %s", report.Skipped, c.why)
			}
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// A container that appears while the run deletes gets its image back, labels
// and all; one that appears at the very end of a look, by the next look.
func TestExecutePutsBackWhatIsNeeded(t *testing.T) {
	byName, byDigest := tw.Container("c", "x:1", ""), tw.Container("c", tw.Digest("a").String(), "")
	// Of what stands on a new layer it is unknown what it needs: the store is read.
	unclear := []tw.Thing{tw.Snapshot(tw.Layer("9"), ""), tw.Active("theirs", tw.Layer("9")), tw.Container("other", "", "theirs")}
	const deleted = "look 3" // the first one after the deletions
	for name, c := range map[string]struct {
		when     string
		made     tw.Thing
		others   []tw.Thing // made when the records are deleted
		left     []string
		restored string
	}{
		"before the deletions":            {when: "write", made: byName, left: []string{"x:1"}, restored: "x:1"},
		"while records are deleted":       {when: "delete x:1", made: byName, left: []string{"x:1"}, restored: "x:1"},
		"after the deletions":             {when: deleted, made: byName, left: []string{"x:1"}, restored: "x:1"},
		"before it looks at all":          {when: "look 4", made: byName, others: unclear, left: []string{"x:1"}, restored: "x:1"},
		"while it looks at all":           {when: "look 5", made: byName, others: unclear, left: []string{"x:1"}, restored: "x:1"},
		"at the end of the look":          {when: "look 6", made: byName, others: unclear, left: []string{"x:1"}, restored: "x:1"},
		"by digest, after the deletions":  {when: deleted, made: byDigest, left: []string{"<none>@«a»"}, restored: "<none>@«a»"},
		"a snapshot only":                 {when: "write"},
		"by another name, after all that": {when: deleted, made: tw.Container("c", "y:1", "")},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			looks := 0
			s.Tape.Before = func(call string) error {
				if call == "look" {
					looks++
					call = fmt.Sprint("look ", looks)
				}
				if call == deleted {
					s.Add(c.others...)
				}
				if call == c.when && c.made.Name != "" {
					s.Add(c.made)
				}
				return nil
			}
			report, err := s.Run(context.Background(), tw.Process(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			tw.CheckRecordNames(t, s, c.left...)
			var restored []string
			for _, r := range report.Restored {
				restored = append(restored, tw.Legend(r.Name))
			}
			if strings.Join(restored, ", ") != c.restored {
				t.Errorf("restored %v, want %s", restored, c.restored)
			}
			if c.restored == "x:1" {
				if image := tw.Must(s.Store.Images().Get(s.Ctx, "x:1")); image.Labels["team"] != "red" || image.Target.Digest != tw.Digest("a") {
					t.Errorf("restored %+v", image)
				}
			}
			if needed := c.restored != ""; s.HasBlob("a") != needed || s.HasBlob("b") {
				t.Errorf("blob a %v, want %v; b %v", s.HasBlob("a"), needed, s.HasBlob("b"))
			}
			s.Collect()
			if c.restored != "" && !s.HasBlob("e") {
				t.Error("the image is not whole")
			}
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// What went between the plan and the run, somebody else let go of: the run
// did not reclaim it, and does not wonder where it is.
func TestReclaimedBeginsWithTheRun(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	plan := s.Plan(tw.Process(t, 1))
	tw.Must(0, s.Store.Images().Delete(s.Ctx, "x:2"))
	s.Collect()
	report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if s.HasBlob("b") {
		t.Fatal("the other image is still there")
	}
	if report.Reclaimed.Blobs != 2 || report.Others != (inventory.Amount{}) || len(report.Changes) > 0 {
		t.Errorf("reclaimed %+v, others %+v, changes %+v", report.Reclaimed, report.Others, report.Changes)
	}
}
