package prune

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// withGrace runs with an hour of grace and returns the run as it is listed.
func (s *scene) withGrace() (*run.Report, undo.Run) {
	s.t.Helper()
	procfs := process(s.t, 1)
	report, err := run.Execute(context.Background(), s.plan(procfs), s.tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, Grace: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	runs := must(undo.Runs(context.Background(), s.store, time.Now(), read.ReadOptions{Procfs: procfs}))
	if len(runs) != 1 {
		s.t.Fatalf("runs %+v", runs)
	}
	return report, runs[0]
}

// graceful has an unused image with snapshots that build history holds too,
// and one that is in use by its digest.
func graceful() world {
	return world{"default": {
		blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a", labelled("team", "red")),
		lease(historyLease, holding(theBlob("b"))),
		blob("c"), record("y:1", "c"), container("c", dig("c").String(), ""),
	}}
}

// A label for snapshots that names no snapshotter holds nothing, so that a
// grace has nothing to hold for it.
func TestGraceOfAnOddLabel(t *testing.T) {
	s := newScene(t, world{"default": {
		blob("a", refContent("b")), blob("b", labelled("containerd.io/gc.ref.snapshot.", "s1"), refSnapshot("s1")), snapshot("s1", ""),
		record("x:1", "a"), lease(historyLease, holding(theBlob("b"))),
	}})
	if report, _ := s.withGrace(); len(report.Untagged) != 1 {
		t.Errorf("untagged %v", report.Untagged)
	}
	must(s.store.Snapshotter("memory").Stat(s.ctx, "s1"))
}

// A run with a grace takes away names and nothing else, and can be undone.
func TestGraceAndUndo(t *testing.T) {
	s := newScene(t, graceful())
	before := census(t, s.store)
	labels := must(s.store.Content().Info(s.ctx, dig("b"))).Labels
	report, run := s.withGrace()
	if report.Reclaimed != (inventory.Amount{}) || len(report.Untagged) != 2 || len(report.Changes) != 0 || report.Grace == nil {
		t.Errorf("%+v", report)
	}
	s.collect()
	for line := range before {
		if line != "default image x:1" && line != "default image y:1" && !census(t, s.store)[line] {
			t.Errorf("%s is gone", line)
		}
	}
	checkNothingHeldByLock(t, s)
	undone, err := undo.Undo(context.Background(), s.store, run, time.Now())
	if err != nil || len(undone.Failed) != 0 || names(undone.Restored) != "x:1, y:1" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	if image := must(s.store.Images().Get(s.ctx, "x:1")); image.Labels["team"] != "red" || image.Target.Digest != dig("a") {
		t.Errorf("restored %+v", image)
	}
	if diff := cmp.Diff(labels, must(s.store.Content().Info(s.ctx, dig("b"))).Labels); diff != "" {
		t.Errorf("labels of the config (-before +after):\n%s", diff)
	}
	s.collect()
	if diff := differences(before, census(t, s.store)); diff != "" {
		t.Errorf("after all:\n%s", diff)
	}
}

func checkNothingHeldByLock(t *testing.T, s *scene) {
	t.Helper()
	for _, lease := range must(s.store.Leases().List(s.ctx)) {
		if lease.ID == "ctr-prune" {
			t.Error("the run lease is left")
		}
	}
}

// Dropping the grace frees what the run without one would have freed.
func TestGraceDropped(t *testing.T) {
	s := newScene(t, graceful())
	_, run := s.withGrace()
	if _, err := undo.Drop(context.Background(), s.store, run, time.Now(), read.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	checkRecordNames(t, s, "<none>@«c»")
	if s.hasBlob("a") || !s.hasBlob("b") || !s.hasBlob("c") {
		t.Errorf("blobs a %v, b %v, c %v", s.hasBlob("a"), s.hasBlob("b"), s.hasBlob("c"))
	}
	if _, err := s.store.Snapshotter("memory").Stat(s.ctx, "s1"); err == nil {
		t.Error("build history keeps the snapshot")
	}
	checkNothingOfOurs(t, s.store)
}

// A name that was taken meanwhile stays with who took it, and the grace stays.
func TestUndoOfATakenName(t *testing.T) {
	s := newScene(t, graceful())
	_, run := s.withGrace()
	s.add(record("x:1", "c"))
	undone, err := undo.Undo(context.Background(), s.store, run, time.Now())
	if err != nil || names(undone.Restored) != "y:1" || len(undone.Failed) != 1 || undone.Failed[0].Name != "x:1" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	if image := must(s.store.Images().Get(s.ctx, "x:1")); image.Target.Digest != dig("c") {
		t.Errorf("x:1 is %+v", image)
	}
	s.collect()
	if !s.hasBlob("a") {
		t.Error("the grace was given up")
	}
	must(0, s.store.Images().Delete(s.ctx, "x:1"))
	if undone, err := undo.Undo(context.Background(), s.store, run, time.Now()); err != nil || names(undone.Restored) != "x:1" || len(undone.Failed) != 0 {
		t.Errorf("undone again %+v, %v", undone, err)
	}
	if len(must(s.store.Leases().List(s.ctx))) != 1 {
		t.Error("the grace is left when all is undone")
	}
}

// An undo that could not take a stand-in away does so when it is tried again.
func TestUndoAgainTakesTheStandIn(t *testing.T) {
	s := newScene(t, graceful())
	_, run := s.withGrace()
	s.tape.before = on("delete <none>@«c»", func() error { return errDisk })
	if _, err := undo.Undo(context.Background(), s.tape, run, time.Now()); !errors.Is(err, errDisk) {
		t.Errorf("the undo that fails: %v", err)
	}
	checkRecordNames(t, s, "<none>@«c»", "x:1", "y:1")
	s.tape.before = nil
	if undone, err := undo.Undo(context.Background(), s.tape, run, time.Now()); err != nil || len(undone.Restored)+len(undone.Failed) != 0 {
		t.Errorf("undone %+v, %v", undone, err)
	}
	checkRecordNames(t, s, "x:1", "y:1")
}

// A run whose plan is gone, as after a power failure, is in the way of no
// other: it is listed, cannot be undone, and can be dropped.
func TestGraceWithoutItsPlan(t *testing.T) {
	s := newScene(t, graceful())
	_, run := s.withGrace()
	must(0, s.store.Content().Walk(s.ctx, func(info content.Info) error {
		if info.Labels["ctr-prune/plan"] == "" {
			return nil
		}
		return os.Remove(store.BlobFile(s.store.Layout.Content, info.Digest))
	}))
	runs, err := undo.Runs(s.ctx, s.store, time.Now(), read.ReadOptions{})
	if err != nil || len(runs) != 1 || len(runs[0].Records) != 0 || runs[0].Holds == (inventory.Amount{}) {
		t.Fatalf("runs %+v, %v", runs, err)
	}
	if undone, err := undo.Undo(s.ctx, s.store, runs[0], time.Now()); !errors.Is(err, journal.ErrMissingParts) || len(undone.Restored) != 0 {
		t.Errorf("undone %+v, %v", undone, err)
	}
	must(undo.Drop(s.ctx, s.store, run, time.Now(), read.ReadOptions{}))
	if runs, err := undo.Runs(s.ctx, s.store, time.Now(), read.ReadOptions{}); err != nil || len(runs) != 0 {
		t.Errorf("after the drop: %+v, %v", runs, err)
	}
}

// A killed run with a grace is finished like any other, and can be undone.
func TestGraceOfAKilledRun(t *testing.T) {
	s := newScene(t, small())
	procfs := process(t, 1)
	s.tape.before = func(call string) error {
		if call == "free ctr-prune" {
			return errDown
		}
		return nil
	}
	_, err := run.Execute(context.Background(), s.plan(procfs), s.tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, Grace: time.Hour})
	if err == nil {
		t.Fatal("the run did not crash")
	}
	s.tape.before = nil
	report, err := s.run(context.Background(), process(t, 2))
	if err != nil || len(report.Recovered) != 1 || !s.hasBlob("a") {
		t.Errorf("recovered %+v, %v, blob a %v", report, err, s.hasBlob("a"))
	}
	runs := must(undo.Runs(context.Background(), s.store, time.Now(), read.ReadOptions{}))
	if len(runs) != 1 || runs[0].Holds.Blobs < 3 {
		t.Fatalf("runs %+v", runs)
	}
	if undone, err := undo.Undo(context.Background(), s.store, runs[0], time.Now()); err != nil || len(undone.Restored) != 2 {
		t.Errorf("undone %+v, %v", undone, err)
	}
}

// leftOver is a store with files that containerd has forgotten.
type leftOver struct {
	store.Store
	files []digest.Digest
}

func (l leftOver) BlobFiles(ctx context.Context) (map[digest.Digest]struct{}, error) {
	files, err := l.Store.BlobFiles(ctx)
	for _, dgst := range l.files {
		files[dgst] = struct{}{}
	}
	return files, err
}

// Abilities hides that the files can be looked at one by one.
func (l leftOver) Abilities() store.Abilities { return store.Abilities{} }

// A blob whose file could not be removed is not reclaimed, and it is said.
func TestFilesThatStay(t *testing.T) {
	s := newScene(t, small())
	report, err := run.Execute(context.Background(), s.plan(process(t, 1)), leftOver{s.tape, []digest.Digest{dig("a")}}, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
	if err == nil || len(report.Errors) != 1 || report.Reclaimed.Blobs != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	for _, dgst := range report.DeletedBlobs() {
		if dgst == dig("a") {
			t.Error("it is listed as deleted")
		}
	}
}

// A run that removed nothing has nothing to keep: it collects, and leaves
// nothing of its own.
func TestGraceOfNothing(t *testing.T) {
	s := newScene(t, world{"default": {blob("a"), blob("b", gcRoot())}})
	procfs := process(t, 1)
	plan := s.plan(procfs)
	report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, Grace: time.Hour})
	if err != nil || report.Garbage.Blobs != 1 || len(report.Untagged) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if files := must(s.store.BlobFiles(context.Background())); len(files) != 1 || s.hasBlob("a") {
		t.Errorf("left %v", files)
	}
	checkNothingOfOurs(t, s.store)
}
