package prune

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// criWorld is one in which CRI has an image by three names, as it does.
func criWorld() world {
	return world{store.CRINamespace: {
		blob("a", refContent("e")), blob("e"),
		record("docker.io/library/x:1", "a"), record("docker.io/library/x@"+dig("a").String(), "a"), record(dig("e").String(), "a"),
	}}
}

func (s *scene) recordsIn(ns string) (names []string) {
	for _, image := range must(s.store.Images().List(store.InNamespace(s.ctx, ns))) {
		names = append(names, legend(image.Name))
	}
	slices.Sort(names)
	return names
}

// The names of an image that CRI has stay together if one of them was written
// again since the plan.
func TestUnitWrittenAgain(t *testing.T) {
	s := newScene(t, criWorld())
	all := s.recordsIn(store.CRINamespace)
	plan := s.plan(process(t, 1))
	again := images.Image{Name: "docker.io/library/x:1", Target: descriptor("a")}
	must(s.store.Images().Update(store.InNamespace(s.ctx, store.CRINamespace), again, "target"))
	report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
	if err != nil || len(report.Skipped) != 3 {
		t.Errorf("skipped %+v, %v", report.Skipped, err)
	}
	if diff := cmp.Diff(all, s.recordsIn(store.CRINamespace)); diff != "" {
		t.Errorf("records (-before +after):\n%s", diff)
	}
	for _, skip := range report.Skipped {
		if skip.Name != again.Name && !strings.Contains(skip.Reason, "CRI keeps the names of an image together") {
			t.Errorf("%+v", skip)
		}
	}
}

// So they do if one of them could not be deleted: the others come back.
func TestUnitNotDeleted(t *testing.T) {
	for _, left := range []string{"docker.io/library/x:1", "docker.io/library/x@«a»", "«e»"} {
		s := newScene(t, criWorld())
		all := s.recordsIn(store.CRINamespace)
		s.tape.before = on("delete "+left, func() error { return errDisk })
		report, err := s.run(context.Background(), process(t, 1))
		if !errors.Is(err, errDisk) || len(report.Restored) != 2 || len(report.Untagged) != 0 {
			t.Errorf("%s is left: restored %+v, untagged %v, %v", left, report.Restored, report.Untagged, err)
		}
		if diff := cmp.Diff(all, s.recordsIn(store.CRINamespace)); diff != "" {
			t.Errorf("records (-before +after):\n%s", diff)
		}
	}
}

// And so do the names of a signature that no filter chose, but that goes as
// its image does.
func TestSignatureNotDeleted(t *testing.T) {
	tag := "docker.io/library/y:sha256-" + dig("a").Encoded() + ".sig"
	s := newScene(t, world{store.CRINamespace: {
		blob("a"), record("docker.io/library/x:1", "a"), blob("b"), record(tag, "b"), record("docker.io/library/y@"+dig("b").String(), "b"),
	}})
	policy := rules.Policy{AllNamespaces: true, Filters: all("reference=x")}
	plan := must(flow.ReadPlan(s.ctx, s.store, policy, time.Now(), read.ReadOptions{Procfs: process(t, 1)}))
	s.tape.before = on("delete "+legend(tag), func() error { return errDisk })
	report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
	if !errors.Is(err, errDisk) || names(report.Untagged) != "docker.io/library/x:1" {
		t.Errorf("untagged %v, %v", report.Untagged, err)
	}
	if got := s.recordsIn(store.CRINamespace); len(got) != 2 {
		t.Errorf("left are %v", got)
	}
}

// A killed run that had deleted some of the names is finished by a run that is
// to remove none of them, and they are together again. One that is to remove
// them all does.
func TestUnitOfAKilledRun(t *testing.T) {
	for _, policy := range []rules.Policy{rules.Nothing(), {Filters: all()}} {
		s := newScene(t, criWorld())
		was := s.recordsIn(store.CRINamespace)
		const first = "delete docker.io/library/x:1"
		done := make(chan struct{})
		var down atomic.Bool
		s.tape.before = func(call string) error {
			if strings.HasPrefix(call, "delete ") && call != first {
				<-done
				down.Store(true)
			}
			if down.Load() {
				return errDown
			}
			return nil
		}
		s.tape.after = on(first, func() error { close(done); return nil })
		if _, err := s.run(context.Background(), process(t, 1)); !errors.Is(err, errDown) {
			t.Fatalf("the run that was to crash: %v", err)
		}
		s.tape.before, s.tape.after = nil, nil
		policy.AllNamespaces = true
		plan := must(flow.ReadPlan(context.Background(), s.store, policy, time.Now(), read.ReadOptions{Procfs: process(t, 2)}))
		if _, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 2)}); err != nil {
			t.Fatal(err)
		}
		if policy.Selection == nil {
			was = nil
		}
		if diff := cmp.Diff(was, s.recordsIn(store.CRINamespace)); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	}
}

// A signature comes back if its image could not be deleted.
func TestSignatureOfWhatStays(t *testing.T) {
	signature := "docker.io/library/x:sha256-" + dig("a").Encoded() + ".sig"
	s := newScene(t, small(blob("s"), record(signature, "s")))
	s.tape.before = on("delete x:1", func() error { return errDisk })
	if _, err := s.run(context.Background(), process(t, 1)); !errors.Is(err, errDisk) {
		t.Errorf("got %v", err)
	}
	checkRecordNames(t, s, legend(signature), "x:1")
}
