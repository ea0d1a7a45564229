package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

// small is a namespace with two unused images, which share the layer e.
func small(more ...thing) world {
	return world{"default": with([]thing{
		blob("a", refContent("e")), blob("b", refContent("e")), blob("e"),
		record("x:1", "a", labelled("team", "red")), record("x:2", "b"),
	}, more...)}
}

func checkRecordNames(t *testing.T, s *scene, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.records(), cmp.Transformer("nil", func(l []string) []string { return append([]string{}, l...) })); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// The order of calls is the argument that nothing is lost.
func TestExecuteInOrder(t *testing.T) {
	s := newScene(t, world{"default": {
		blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a"),
		lease(historyLease, holding(theBlob("b"))),
		blob("c"), record("y:1", "c"), container("c", dig("c").String(), ""),
	}})
	report, err := s.run(context.Background(), process(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	deletes := []string{"delete x:1", "delete y:1"}
	order := slices.IndexFunc(s.tape.calls, func(c string) bool { return c == deletes[0] || c == deletes[1] })
	slices.Sort(s.tape.calls[order : order+2]) // they are under way together
	want := "lease ctr-prune, look, write, create <none>@«c», delete x:1, delete y:1, look, label «b», look, free ctr-prune and collect, look"
	if got := s.tape.script(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	checkRecordNames(t, s, "<none>@«c»")
	if s.hasBlob("a") || !s.hasBlob("b") || len(report.DeletedSnapshots()) != 1 {
		t.Errorf("a %v, b %v, snapshots %v", s.hasBlob("a"), s.hasBlob("b"), report.DeletedSnapshots())
	}
	checkNothingOfOurs(t, s.store)
}

// One collection, however many namespaces.
func TestExecuteCollectsOnce(t *testing.T) {
	w := small()
	w["other"], w["k8s.io"] = w["default"], w["default"]
	s := newScene(t, w)
	report, err := s.run(context.Background(), process(t, 1))
	if err != nil || len(report.Untagged) != 6 || report.Reclaimed.Blobs != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	var ends []string
	for _, call := range s.tape.calls {
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
	move := func(s *scene) error {
		_, err := s.store.Images().Update(s.ctx, images.Image{Name: "x:1", Target: descriptor("b")}, "target")
		return err
	}
	for name, when := range map[string]string{"before the run": "", "while it writes its plan": "write", "right before its deletion": "delete x:1"} {
		for _, transactional := range []bool{false, true} {
			if transactional && when == "delete x:1" {
				continue // nothing comes between the comparison and the deletion in one transaction
			}
			t.Run(fmt.Sprintf("%s, in a transaction %v", name, transactional), func(t *testing.T) {
				s := newScene(t, small())
				if transactional {
					s.tape.Store = s.store
				}
				plan := s.plan(process(t, 1))
				if when == "" {
					must(0, move(s))
				}
				s.tape.before = on(when, func() error { return move(s) })
				report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
				if err != nil {
					t.Fatal(err)
				}
				checkRecordNames(t, s, "x:1")
				if len(report.Skipped) != 1 || report.Skipped[0].Name != "x:1" || !strings.Contains(report.Skipped[0].Reason, "moved to another image") {
					t.Errorf("skipped %+v", report.Skipped)
				}
				if !s.hasBlob("b") || s.hasBlob("a") {
					t.Errorf("blob b %v, a %v", s.hasBlob("b"), s.hasBlob("a"))
				}
			})
		}
	}
}

// What changed otherwise since the plan is left alone, too.
func TestExecuteLeavesWhatChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		left   []string
		why    string
	}{
		"removed by somebody": {
			func(s *scene) { must(0, s.store.Images().Delete(s.ctx, "x:1")) }, nil, "somebody else removed it",
		},
		"written again": {
			func(s *scene) {
				must(0, s.store.Images().Delete(s.ctx, "x:1"))
				s.add(record("x:1", "a", labelled("team", "red")))
			},
			[]string{"x:1"}, "written again",
		},
		"pinned": {
			func(s *scene) {
				must(s.store.Images().Update(s.ctx, images.Image{Name: "x:1", Labels: map[string]string{rules.LabelKeep: "yes"}}, "labels"))
			},
			[]string{"x:1"}, "written again",
		},
		"in use": {
			func(s *scene) { s.add(container("c", "x:1", "")) }, []string{"x:1"}, "in use by container c",
		},
		"in use by its digest": {
			func(s *scene) { s.add(container("c", dig("a").String(), "")) }, []string{"x:1"}, "what else names its image has changed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, small())
			plan := s.plan(process(t, 1))
			c.change(s)
			report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
			if err != nil {
				t.Fatal(err)
			}
			checkRecordNames(t, s, c.left...)
			if len(report.Skipped) != 1 || report.Skipped[0].Name != "x:1" || !strings.Contains(report.Skipped[0].Reason, c.why) {
				t.Errorf("skipped %+v, want because %s", report.Skipped, c.why)
			}
			checkNothingOfOurs(t, s.store)
		})
	}
}

// A container that appears while the run deletes gets its image back, labels
// and all; one that appears at the very end of a look, by the next look.
func TestExecutePutsBackWhatIsNeeded(t *testing.T) {
	byName, byDigest := container("c", "x:1", ""), container("c", dig("a").String(), "")
	for name, c := range map[string]struct {
		when     string
		made     thing
		left     []string
		restored string
	}{
		"before the deletions":            {"write", byName, []string{"x:1"}, "x:1"},
		"while records are deleted":       {"delete x:1", byName, []string{"x:1"}, "x:1"},
		"after the deletions":             {"look 2", byName, []string{"x:1"}, "x:1"},
		"while it looks":                  {"look 3", byName, []string{"x:1"}, "x:1"},
		"at the end of the look":          {"look 4", byName, []string{"x:1"}, "x:1"},
		"by digest, after the deletions":  {"look 2", byDigest, []string{"<none>@«a»"}, "<none>@«a»"},
		"a snapshot only":                 {"write", thing{}, nil, ""},
		"by another name, after all that": {"look 2", container("c", "y:1", ""), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, small())
			looks := 0
			s.tape.before = func(call string) error {
				if call == "look" {
					looks++
					call = fmt.Sprint("look ", looks)
				}
				if call == c.when && c.made.Name != "" {
					s.add(c.made)
				}
				return nil
			}
			report, err := s.run(context.Background(), process(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			checkRecordNames(t, s, c.left...)
			var restored []string
			for _, r := range report.Restored {
				restored = append(restored, legend(r.Name))
			}
			if strings.Join(restored, ", ") != c.restored {
				t.Errorf("restored %v, want %s", restored, c.restored)
			}
			if c.restored == "x:1" {
				if image := must(s.store.Images().Get(s.ctx, "x:1")); image.Labels["team"] != "red" || image.Target.Digest != dig("a") {
					t.Errorf("restored %+v", image)
				}
			}
			if needed := c.restored != ""; s.hasBlob("a") != needed || s.hasBlob("b") {
				t.Errorf("blob a %v, want %v; b %v", s.hasBlob("a"), needed, s.hasBlob("b"))
			}
			s.collect()
			if c.restored != "" && !s.hasBlob("e") {
				t.Error("the image is not whole")
			}
			checkNothingOfOurs(t, s.store)
		})
	}
}

// An interrupted run ends early, and cleanly.
func TestExecuteInterrupted(t *testing.T) {
	var things []thing
	for i := range 40 {
		text := fmt.Sprint("m", i)
		things = append(things, blob(text), record("x:"+text, text))
	}
	s := newScene(t, world{"default": things})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var deletions atomic.Int64
	s.tape.before = func(call string) error {
		if strings.HasPrefix(call, "delete ") {
			if deletions.Add(1) == 10 {
				cancel()
			}
			if deletions.Load() > 10 {
				<-ctx.Done() // nobody gets far while the tenth is on its way
			}
		}
		return nil
	}
	before := diskUse(t, s.store)
	report, err := s.run(ctx, process(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	left := len(s.records())
	if !report.Interrupted || left == 0 || left == 40 || len(report.Untagged) != 40-left || !report.Measured {
		t.Errorf("interrupted %v, measured %v: %d records left, %d untagged", report.Interrupted, report.Measured, left, len(report.Untagged))
	}
	if lost := before - diskUse(t, s.store); lost != report.Reclaimed.ContentBytes || report.Reclaimed.Blobs != 40-left {
		t.Errorf("the disk lost %d bytes; reclaimed %+v", lost, report.Reclaimed)
	}
	checkNothingOfOurs(t, s.store)
	if report, err := s.run(context.Background(), process(t, 1)); err != nil || len(report.Untagged) != left || len(report.Recovered) != 0 {
		t.Errorf("the next run: %+v, %v", report, err)
	}
}

// Interrupted before anything was deleted, a run changes nothing.
func TestExecuteInterruptedEarly(t *testing.T) {
	for _, when := range []string{"lease ctr-prune", "look", "write"} {
		t.Run(when, func(t *testing.T) {
			s := newScene(t, small())
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			s.tape.after = on(when, func() error { cancel(); return ctx.Err() })
			if _, err := s.run(ctx, process(t, 1)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			checkRecordNames(t, s, "x:1", "x:2")
		})
	}
}

var errDisk = errors.New("no space left on device")

// An error does not mean that nothing was deleted, and no error does not mean
// that something was: only what is seen gone counts.
func TestExecuteBelievesOnlyItsEyes(t *testing.T) {
	t.Run("deleted, with an error", func(t *testing.T) {
		s := newScene(t, small())
		s.tape.after = on("delete x:1", func() error { return errDisk })
		report, err := s.run(context.Background(), process(t, 1))
		if err != nil || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 3 {
			t.Errorf("%+v, %v", report, err)
		}
	})
	t.Run("not deleted, with an error", func(t *testing.T) {
		s := newScene(t, small())
		s.tape.before = on("delete x:1", func() error { return errDisk })
		report, err := s.run(context.Background(), process(t, 1))
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), `deleting image "x:1" in namespace "default"`) {
			t.Errorf("got %v", err)
		}
		if len(report.Untagged) != 1 || report.Untagged[0].Name != "x:2" || report.Reclaimed.Blobs != 1 {
			t.Errorf("%+v", report)
		}
		checkRecordNames(t, s, "x:1")
		checkNothingOfOurs(t, s.store)
	})
	t.Run("not deleted, without an error", func(t *testing.T) {
		s := newScene(t, small())
		s.tape.after = on("delete x:1", func() error {
			s.add(record("x:1", "a"))
			return nil
		})
		report, err := s.run(context.Background(), process(t, 1))
		if err != nil || len(report.Untagged) != 1 || report.Untagged[0].Name != "x:2" || report.Reclaimed.Blobs != 1 {
			t.Errorf("%+v, %v", report, err)
		}
		if len(report.Changes) != 2 || !strings.Contains(report.Changes[0], `held by image "x:1"`) {
			t.Errorf("changes %q", report.Changes)
		}
	})
	t.Run("gone, says the error", func(t *testing.T) {
		s := newScene(t, small())
		s.tape.before = on("delete x:1", func() error { return must(error(nil), s.store.Images().Delete(s.ctx, "x:1")) })
		report, err := s.run(context.Background(), process(t, 1))
		if err != nil || len(report.Skipped) != 1 || !strings.Contains(report.Skipped[0].Reason, "somebody else removed it") {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// In one transaction either all go or none.
func TestExecuteTransactionFails(t *testing.T) {
	s := newScene(t, small())
	s.tape.Store = s.store
	s.tape.before = on("delete x:2", func() error { return errDisk })
	report, err := s.run(context.Background(), process(t, 1))
	if !errors.Is(err, errDisk) || len(report.Untagged) != 0 || report.Reclaimed != (inventory.Amount{}) {
		t.Errorf("%+v, %v", report, err)
	}
	checkRecordNames(t, s, "x:1", "x:2")
	checkNothingOfOurs(t, s.store)
}

// Without the plan in the store nothing is deleted.
func TestExecuteCannotWriteItsPlan(t *testing.T) {
	s := newScene(t, small())
	s.tape.before = on("write", func() error { return errDisk })
	report, err := s.run(context.Background(), process(t, 1))
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "nothing was removed") {
		t.Errorf("got %v", err)
	}
	if report != nil && (len(report.Untagged) > 0 || report.Measured) {
		t.Errorf("reported %+v", report)
	}
	if strings.Contains(s.tape.script(), "delete") || strings.Contains(s.tape.script(), "collect") {
		t.Errorf("did %s", s.tape.script())
	}
	checkRecordNames(t, s, "x:1", "x:2")
	checkNothingOfOurs(t, s.store)
}

// A record whose stand-in cannot be made stays; the others go.
func TestExecuteCannotMakeAStandIn(t *testing.T) {
	s := newScene(t, small(container("c", dig("a").String(), "")))
	s.tape.before = on("create <none>@«a»", func() error { return errDisk })
	report, err := s.run(context.Background(), process(t, 1))
	if !errors.Is(err, errDisk) || len(report.Untagged) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	checkRecordNames(t, s, "x:1")
}

// A stand-in's name that another image got since the plan is none.
func TestExecuteStandInTaken(t *testing.T) {
	for text, left := range map[string][]string{"e": {"<none>@«a»", "x:1"}, "a": {"<none>@«a»"}} {
		s := newScene(t, small(container("c", dig("a").String(), "")))
		s.tape.before = on("create <none>@«a»", func() error {
			s.add(record(rules.StandInName("default", dig("a")), text))
			return nil
		})
		_, err := s.run(context.Background(), process(t, 1))
		if (err != nil) != (text == "e") {
			t.Errorf("taken for %s: %v", text, err)
		}
		checkRecordNames(t, s, left...)
	}
}

// What went between the plan and the run, somebody else let go of: the run
// did not reclaim it, and does not wonder where it is.
func TestReclaimedBeginsWithTheRun(t *testing.T) {
	s := newScene(t, small())
	plan := s.plan(process(t, 1))
	must(0, s.store.Images().Delete(s.ctx, "x:2"))
	s.collect()
	report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if s.hasBlob("b") {
		t.Fatal("the other image is still there")
	}
	if report.Reclaimed.Blobs != 2 || report.Others != (inventory.Amount{}) || len(report.Changes) > 0 {
		t.Errorf("reclaimed %+v, others %+v, changes %q", report.Reclaimed, report.Others, report.Changes)
	}
}
