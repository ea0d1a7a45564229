package undo_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// graceful has an unused image with snapshots that build history holds too,
// and one that is in use by its digest.
func graceful() tw.World {
	return tw.World{"default": {
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a", tw.Labelled("team", "red")),
		tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
		tw.Blob("c"), tw.Record("y:1", "c"), tw.Container("c", tw.Digest("c").String(), ""),
	}}
}

// A label for snapshots that names no snapshotter holds nothing, so that a
// grace has nothing to hold for it.
func TestGraceOfAnOddLabel(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.Labelled("containerd.io/gc.ref.snapshot.", "s1"), tw.RefSnapshot("s1")), tw.Snapshot("s1", ""),
		tw.Record("x:1", "a"), tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
	}})
	if report, _ := s.WithGrace(); len(report.Untagged) != 1 {
		t.Errorf("untagged %v", report.Untagged)
	}
	tw.Must(s.Store.Snapshotter("memory").Stat(s.Ctx, "s1"))
}

// A run with a grace takes away names and nothing else, and can be undone.
func TestGraceAndUndo(t *testing.T) {
	s := tw.NewScene(t, graceful())
	before := tw.Census(t, s.Store)
	labels := tw.Must(s.Store.Content().Info(s.Ctx, tw.Digest("b"))).Labels
	report, run := s.WithGrace()
	if report.Reclaimed != (inventory.Amount{}) || len(report.Untagged) != 2 || len(report.Changes) != 0 || report.Grace == nil {
		t.Errorf("%+v", report)
	}
	s.Collect()
	for line := range before {
		if line != "default image x:1" && line != "default image y:1" && !tw.Census(t, s.Store)[line] {
			t.Errorf("%s is gone", line)
		}
	}
	checkNothingHeldByLock(t, s)
	undone, err := undo.Undo(context.Background(), s.Store, run, tw.Options())
	if err != nil || len(undone.Failed) != 0 || tw.NamesOf(undone.Restored) != "x:1, y:1" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	if image := tw.Must(s.Store.Images().Get(s.Ctx, "x:1")); image.Labels["team"] != "red" || image.Target.Digest != tw.Digest("a") {
		t.Errorf("restored %+v", image)
	}
	if diff := cmp.Diff(labels, tw.Must(s.Store.Content().Info(s.Ctx, tw.Digest("b"))).Labels); diff != "" {
		t.Errorf("labels of the config (-before +after):\n%s", diff)
	}
	s.Collect()
	if diff := tw.Differences(before, tw.Census(t, s.Store)); diff != "" {
		t.Errorf("after all:\n%s", diff)
	}
}

func checkNothingHeldByLock(t *testing.T, s *tw.Scene) {
	t.Helper()
	for _, lease := range tw.Must(s.Store.Leases().List(s.Ctx)) {
		if lease.ID == "ctr-prune" {
			t.Error("the run lease is left")
		}
	}
}

// Dropping the grace frees what the run without one would have freed.
func TestGraceDropped(t *testing.T) {
	s := tw.NewScene(t, graceful())
	_, run := s.WithGrace()
	if _, err := undo.Drop(context.Background(), s.Store, run, tw.Options()); err != nil {
		t.Fatal(err)
	}
	tw.CheckRecordNames(t, s, "<none>@«c»")
	if s.HasBlob("a") || !s.HasBlob("b") || !s.HasBlob("c") {
		t.Errorf("blobs a %v, b %v, c %v", s.HasBlob("a"), s.HasBlob("b"), s.HasBlob("c"))
	}
	if _, err := s.Store.Snapshotter("memory").Stat(s.Ctx, "s1"); err == nil {
		t.Error("build history keeps the snapshot")
	}
	tw.CheckNothingOfOurs(t, s.Store)
}

// A name that was taken meanwhile stays with who took it, and the grace stays.
func TestUndoOfATakenName(t *testing.T) {
	s := tw.NewScene(t, graceful())
	_, run := s.WithGrace()
	s.Add(tw.Record("x:1", "c"))
	undone, err := undo.Undo(context.Background(), s.Store, run, tw.Options())
	if err != nil || tw.NamesOf(undone.Restored) != "y:1" || len(undone.Failed) != 1 || undone.Failed[0].Name != "x:1" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	if image := tw.Must(s.Store.Images().Get(s.Ctx, "x:1")); image.Target.Digest != tw.Digest("c") {
		t.Errorf("x:1 is %+v", image)
	}
	s.Collect()
	if !s.HasBlob("a") {
		t.Error("the grace was given up")
	}
	tw.Must(0, s.Store.Images().Delete(s.Ctx, "x:1"))
	if undone, err := undo.Undo(context.Background(), s.Store, run, tw.Options()); err != nil || tw.NamesOf(undone.Restored) != "x:1" || len(undone.Failed) != 0 {
		t.Errorf("undone again %+v, %v", undone, err)
	}
	if len(tw.Must(s.Store.Leases().List(s.Ctx))) != 1 {
		t.Error("the grace is left when all is undone")
	}
}

// An undo that could not take a stand-in away does so when it is tried again.
func TestUndoAgainTakesTheStandIn(t *testing.T) {
	s := tw.NewScene(t, graceful())
	_, run := s.WithGrace()
	s.Tape.Before = tw.On("delete <none>@«c»", func() error { return tw.ErrDisk })
	if _, err := undo.Undo(context.Background(), s.Tape, run, tw.Options()); !errors.Is(err, tw.ErrDisk) {
		t.Errorf("the undo that fails: %v", err)
	}
	tw.CheckRecordNames(t, s, "<none>@«c»", "x:1", "y:1")
	s.Tape.Before = nil
	if undone, err := undo.Undo(context.Background(), s.Tape, run, tw.Options()); err != nil || len(undone.Restored)+len(undone.Failed) != 0 {
		t.Errorf("undone %+v, %v", undone, err)
	}
	tw.CheckRecordNames(t, s, "x:1", "y:1")
}

// A run whose plan is gone, as after a power failure, is in the way of no
// other: it is listed, cannot be undone, and can be dropped.
func TestGraceWithoutItsPlan(t *testing.T) {
	s := tw.NewScene(t, graceful())
	_, run := s.WithGrace()
	tw.Must(0, s.Store.Content().Walk(s.Ctx, func(info content.Info) error {
		if info.Labels["ctr-prune/plan"] == "" {
			return nil
		}
		return os.Remove(store.BlobFile(s.Store.Layout.Content, info.Digest))
	}))
	runs, err := undo.Runs(s.Ctx, s.Store, time.Now(), read.ReadOptions{})
	if err != nil || len(runs) != 1 || len(runs[0].Records) != 0 || runs[0].Holds == (inventory.Amount{}) {
		t.Fatalf("runs %+v, %v", runs, err)
	}
	if undone, err := undo.Undo(s.Ctx, s.Store, runs[0], tw.Options()); !errors.Is(err, journal.ErrMissingParts) || len(undone.Restored) != 0 {
		t.Errorf("undone %+v, %v", undone, err)
	}
	tw.Must(undo.Drop(s.Ctx, s.Store, run, tw.Options()))
	if runs, err := undo.Runs(s.Ctx, s.Store, time.Now(), read.ReadOptions{}); err != nil || len(runs) != 0 {
		t.Errorf("after the drop: %+v, %v", runs, err)
	}
}

// A killed run with a grace is finished like any other, and can be undone.
func TestGraceOfAKilledRun(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	procfs := tw.Process(t, 1)
	s.Tape.Before = func(call string) error {
		if call == "free ctr-prune" {
			return tw.ErrDown
		}
		return nil
	}
	_, err := run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, Grace: time.Hour})
	if err == nil {
		t.Fatal("the run did not crash")
	}
	s.Tape.Before = nil
	report, err := s.Run(context.Background(), tw.Process(t, 2))
	if err != nil || len(report.Recovered) != 1 || !s.HasBlob("a") {
		t.Errorf("recovered %+v, %v, blob a %v", report, err, s.HasBlob("a"))
	}
	runs := tw.Must(undo.Runs(context.Background(), s.Store, time.Now(), read.ReadOptions{}))
	if len(runs) != 1 || runs[0].Holds.Blobs < 3 {
		t.Fatalf("runs %+v", runs)
	}
	if undone, err := undo.Undo(context.Background(), s.Store, runs[0], tw.Options()); err != nil || len(undone.Restored) != 2 {
		t.Errorf("undone %+v, %v", undone, err)
	}
}

// So it is with the grace of a run that is given up.
func TestDropWithoutTheLastLease(t *testing.T) {
	s := tw.NewScene(t, tw.World{
		"default": {tw.Blob("a"), tw.Record("x:1", "a")},
		"other":   {tw.Blob("b"), tw.Record("x:2", "b")},
	})
	_, run := s.WithGrace()
	other := store.InNamespace(context.Background(), "other")
	tw.Must(0, s.Store.Leases().Delete(other, clientleases.Lease{ID: "ctr-prune-grace-" + run.Name}))
	if _, err := undo.Drop(context.Background(), s.Store, run, tw.Options()); err != nil || s.HasBlob("a") {
		t.Errorf("a is there: %v, %v", s.HasBlob("a"), err)
	}
	tw.CheckNothingOfOurs(t, s.Store)
}

// A run that is killed while it makes its grace has deleted nothing, and the
// half of a grace does not keep the others from being listed and undone.
func TestHalfAGrace(t *testing.T) {
	w, _ := tw.Thousands()
	s := tw.NewScene(t, w)
	held := 0
	s.Tape.Before = func(call string) error {
		if call == "hold" {
			held++
		}
		if held == 3 {
			return tw.ErrDown
		}
		return nil
	}
	execute := func(procfs proc.Procfs) error {
		_, err := run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: tw.Started.Local, Procfs: procfs, Grace: tw.Later.Sub(tw.Started)})
		return err
	}
	before := len(s.Records())
	if err := execute(tw.Process(t, 1)); !errors.Is(err, tw.ErrDown) || len(s.Records()) != before {
		t.Fatalf("%v, %d records left", err, len(s.Records()))
	}
	s.Tape.Before = nil
	procfs := tw.Process(t, 2)
	if err := execute(procfs); err != nil {
		t.Fatal(err)
	}
	runs := tw.Must(undo.Runs(context.Background(), s.Store, tw.Started, read.ReadOptions{Procfs: procfs}))
	if len(runs) != 2 {
		t.Fatalf("%d runs", len(runs))
	}
	back := 0
	for _, run := range runs {
		undone, err := undo.Undo(context.Background(), s.Store, run, tw.Options())
		if whole := len(run.Records) == before; whole != (err == nil) || !whole && !errors.Is(err, journal.ErrMissingParts) {
			t.Errorf("of %d records %d are back: %v", len(run.Records), len(undone.Restored), err)
		}
		back += len(undone.Restored)
	}
	if back != before || len(s.Records()) != before {
		t.Errorf("%d of %d are back", back, before)
	}
}
