package run_test

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
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// criWorld is one in which CRI has an image by three names, as it does.
func criWorld() tw.World {
	return tw.World{store.CRINamespace: {
		tw.Blob("a", tw.RefContent("e")), tw.Blob("e"),
		tw.Record("docker.io/library/x:1", "a"), tw.Record("docker.io/library/x@"+tw.Digest("a").String(), "a"), tw.Record(tw.Digest("e").String(), "a"),
	}}
}

func recordsIn(s *tw.Scene, ns string) (names []string) {
	for _, image := range tw.Must(s.Store.Images().List(store.InNamespace(s.Ctx, ns))) {
		names = append(names, tw.Legend(image.Name))
	}
	slices.Sort(names)
	return names
}

// The names of an image that CRI has stay together if one of them was written
// again since the plan.
func TestUnitWrittenAgain(t *testing.T) {
	s := tw.NewScene(t, criWorld())
	all := recordsIn(s, store.CRINamespace)
	plan := s.Plan(tw.Process(t, 1))
	again := images.Image{Name: "docker.io/library/x:1", Target: tw.Descriptor("a")}
	tw.Must(s.Store.Images().Update(store.InNamespace(s.Ctx, store.CRINamespace), again, "target"))
	report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
	if err != nil || len(report.Skipped) != 3 {
		t.Errorf("skipped %+v, %v", report.Skipped, err)
	}
	if diff := cmp.Diff(all, recordsIn(s, store.CRINamespace)); diff != "" {
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
		s := tw.NewScene(t, criWorld())
		all := recordsIn(s, store.CRINamespace)
		s.Tape.Before = tw.On("delete "+left, func() error { return tw.ErrDisk })
		report, err := s.Run(context.Background(), tw.Process(t, 1))
		if !errors.Is(err, tw.ErrDisk) || len(report.Restored) != 2 || len(report.Untagged) != 0 {
			t.Errorf("%s is left: restored %+v, untagged %v, %v", left, report.Restored, report.Untagged, err)
		}
		if diff := cmp.Diff(all, recordsIn(s, store.CRINamespace)); diff != "" {
			t.Errorf("records (-before +after):\n%s", diff)
		}
	}
}

// And so do the names of a signature that no filter chose, but that goes as
// its image does.
func TestSignatureNotDeleted(t *testing.T) {
	tag := "docker.io/library/y:sha256-" + tw.Digest("a").Encoded() + ".sig"
	s := tw.NewScene(t, tw.World{store.CRINamespace: {
		tw.Blob("a"), tw.Record("docker.io/library/x:1", "a"), tw.Blob("b"), tw.Record(tag, "b"), tw.Record("docker.io/library/y@"+tw.Digest("b").String(), "b"),
	}})
	policy := rules.Policy{AllNamespaces: true, Filters: tw.All("reference=x")}
	plan := tw.Must(flow.ReadPlan(s.Ctx, s.Store, policy, time.Now(), read.ReadOptions{Procfs: tw.Process(t, 1)}))
	s.Tape.Before = tw.On("delete "+tw.Legend(tag), func() error { return tw.ErrDisk })
	report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
	if !errors.Is(err, tw.ErrDisk) || tw.NamesOf(report.Untagged) != "docker.io/library/x:1" {
		t.Errorf("untagged %v, %v", report.Untagged, err)
	}
	if got := recordsIn(s, store.CRINamespace); len(got) != 2 {
		t.Errorf("left are %v", got)
	}
}

// A killed run that had deleted some of the names is finished by a run that is
// to remove none of them, and they are together again. One that is to remove
// them all does.
func TestUnitOfAKilledRun(t *testing.T) {
	for _, policy := range []rules.Policy{rules.Nothing(), {Filters: tw.All()}} {
		s := tw.NewScene(t, criWorld())
		was := recordsIn(s, store.CRINamespace)
		const first = "delete docker.io/library/x:1"
		done := make(chan struct{})
		var down atomic.Bool
		s.Tape.Before = func(call string) error {
			if strings.HasPrefix(call, "delete ") && call != first {
				<-done
				down.Store(true)
			}
			if down.Load() {
				return tw.ErrDown
			}
			return nil
		}
		s.Tape.After = tw.On(first, func() error { close(done); return nil })
		if _, err := s.Run(context.Background(), tw.Process(t, 1)); !errors.Is(err, tw.ErrDown) {
			t.Fatalf("the run that was to crash: %v", err)
		}
		s.Tape.Before, s.Tape.After = nil, nil
		policy.AllNamespaces = true
		plan := tw.Must(flow.ReadPlan(context.Background(), s.Store, policy, time.Now(), read.ReadOptions{Procfs: tw.Process(t, 2)}))
		if _, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 2)}); err != nil {
			t.Fatal(err)
		}
		if policy.Selection == nil {
			was = nil
		}
		if diff := cmp.Diff(was, recordsIn(s, store.CRINamespace)); diff != "" {
			t.Errorf("records (-want +got):\n%s", diff)
		}
	}
}

// A signature comes back if its image could not be deleted.
func TestSignatureOfWhatStays(t *testing.T) {
	signature := "docker.io/library/x:sha256-" + tw.Digest("a").Encoded() + ".sig"
	s := tw.NewScene(t, tw.Small(tw.Blob("s"), tw.Record(signature, "s")))
	s.Tape.Before = tw.On("delete x:1", func() error { return tw.ErrDisk })
	if _, err := s.Run(context.Background(), tw.Process(t, 1)); !errors.Is(err, tw.ErrDisk) {
		t.Errorf("got %v", err)
	}
	tw.CheckRecordNames(t, s, tw.Legend(signature), "x:1")
}
