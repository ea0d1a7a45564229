package run_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"

	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// slicedWith makes a run in smallest slices over a store that tells of events. happens has its
// turn after the first deletion, as slice 0, and after the collection of each slice. It
// returns how often the whole store was read as well.
func slicedWith(s *tw.Scene, happens func(slice int, told *teller)) (report *run.Report, readings int, err error) {
	procfs := tw.Process(s.T, 1)
	plan := s.Plan(procfs)
	told := newTeller(s.Store)
	told.Store = s.Tape
	slice := 0
	var deleted sync.Once // records are deleted at the same time
	s.Tape.After = func(call string) error {
		if name, ok := strings.CutPrefix(call, "delete "); ok {
			told.tell(time.Now(), &eventtypes.ImageDelete{Name: name})
			deleted.Do(func() { happens(0, told) })
		}
		if isCollection(call) {
			slice++
			happens(slice, told)
		}
		return nil
	}
	s.Tape.Down = func(question string) error {
		if question == "namespaces" {
			readings++
		}
		return nil
	}
	report, err = run.Execute(s.T.Context(), plan, told, inSlices(procfs))
	return report, readings, err
}

// bystander is an image that stays, because of a container.
func bystander() []tw.Thing {
	return []tw.Thing{
		tw.Snapshot("stays", "base"), tw.Blob("stays's config", tw.RefSnapshot("stays")), tw.Blob("stays's manifest", tw.RefContent("stays's config")),
		tw.Record("stays:1", "stays's manifest"), tw.Container("standing", "stays:1", ""),
	}
}

func manyAndBystander() tw.World {
	return tw.World{"default": tw.With(manyImages()["default"], bystander()...)}
}

// What appears and needs nothing that is still held is no reason to read the whole
// store, however much of it there is.
func TestNewcomersThatNeedNothing(t *testing.T) {
	_, without, err := slicedWith(tw.NewScene(t, manyAndBystander()), func(int, *teller) {})
	if err != nil {
		t.Fatal(err)
	}
	s := tw.NewScene(t, manyAndBystander())
	report, with, err := slicedWith(s, func(slice int, told *teller) {
		mount, unpack, layer := fmt.Sprint("mount ", slice), fmt.Sprint("extract-", slice, " sha256:x"), fmt.Sprintf("sha256:%064d", slice)
		manifest, config, name := fmt.Sprint("new manifest ", slice), fmt.Sprint("new config ", slice), fmt.Sprint("new:", slice)
		s.Add(
			tw.Active(mount, "stays"), tw.Container(fmt.Sprint("new-", slice), "stays:1", mount),
			tw.Lease(fmt.Sprint("at-work-", slice), tw.Holding(tw.TheSnapshot("memory", mount))),
			tw.Snapshot(layer, "base"), tw.Active(unpack, layer),
			tw.Blob(config, tw.RefSnapshot(layer)), tw.Blob(manifest, tw.RefContent(config)), tw.Record(name, manifest),
			tw.Lease(fmt.Sprint("pull-", slice), tw.Holding(tw.TheBlob(manifest), tw.TheRecord(name), tw.TheSnapshot("memory", layer), tw.TheSnapshot("memory", unpack))),
		)
		for _, key := range []string{mount, unpack} {
			told.tell(time.Now(), &eventtypes.SnapshotPrepare{Key: key, Snapshotter: "memory"})
		}
		told.tell(time.Now(), &eventtypes.ImageCreate{Name: name})
	})
	if err != nil || len(report.Untagged) != sliced || len(report.Restored) > 0 {
		t.Errorf("%d untagged, %+v restored, %v", len(report.Untagged), report.Restored, err)
	}
	if with != without {
		t.Errorf("%d readings, %d if nothing appears", with, without)
	}
}

// What appears and may need an image that is still held gets it back, by whatever
// it knows it.
func TestNewcomersThatNeed(t *testing.T) {
	prepares := func(key string) any { return &eventtypes.SnapshotPrepare{Key: key, Snapshotter: "memory"} }
	for name, c := range map[string]struct {
		things []tw.Thing
		event  any
	}{
		"by its name":                 {things: []tw.Thing{tw.Container("c", "i29:1", "")}},
		"by its full name":            {things: []tw.Thing{tw.Container("c", "docker.io/library/i29:1", "")}},
		"by its digest":               {things: []tw.Thing{tw.Container("c", tw.Digest("m29").String(), "")}},
		"by its config":               {things: []tw.Thing{tw.Container("c", tw.Digest("c29").String(), "")}},
		"by the beginning of an ID":   {things: []tw.Thing{tw.Container("c", tw.Digest("c29").Encoded()[:12], "")}},
		"by its snapshot":             {things: []tw.Thing{tw.Active("mine", "top29"), tw.Container("c", "", "mine")}},
		"by a layer on it":            {things: []tw.Thing{tw.Snapshot(tw.Layer("5"), "top29"), tw.Active("mine", tw.Layer("5")), tw.Container("c", "", "mine")}},
		"by a mount of a lease":       {things: []tw.Thing{tw.View("mine", "top29"), tw.Lease("l", tw.Holding(tw.TheSnapshot("memory", "mine")))}},
		"by a record that is leased":  {things: []tw.Thing{tw.Lease("l", tw.Holding(tw.TheRecord("i29:1")))}},
		"by a label":                  {things: []tw.Thing{tw.Container("c", "", "", tw.RefImage("i29:1"))}},
		"by a mount without a lease":  {[]tw.Thing{tw.Active("mine", "top29", tw.GCRoot())}, prepares("mine")},
		"by an old containerd's word": {[]tw.Thing{tw.Active("mine", "top29", tw.GCRoot())}, &eventtypes.SnapshotPrepare{Key: "mine"}},
		"by what it is part of":       {[]tw.Thing{tw.Blob("whole", tw.RefContent("m29")), tw.Record("whole:1", "whole")}, &eventtypes.ImageCreate{Name: "whole:1"}},
		"by a record's label": {
			[]tw.Thing{tw.Blob("tied"), tw.Record("tied:1", "tied", tw.RefImage("i29:1"))}, &eventtypes.ImageCreate{Name: "tied:1"},
		},
	} {
		for when, moment := range []string{"after a deletion", "after a slice"} {
			t.Run(name+" "+moment, func(t *testing.T) {
				s := tw.NewScene(t, manyAndBystander())
				report, _, err := slicedWith(s, func(slice int, told *teller) {
					if slice == when {
						s.Add(c.things...)
						if c.event != nil {
							told.tell(time.Now(), c.event)
							told.tell(time.Now(), &eventtypes.ImageCreate{Name: "nobody's:1"}) // that one is noted by now
						}
					}
				})
				if err != nil || len(report.Restored) != 1 || report.Restored[0].Target != tw.Digest("m29") {
					t.Errorf("restored %+v, %v", report.Restored, err)
				}
				if !s.HasBlob("m29") || !s.HasBlob("c29") || s.HasBlob("m0") {
					t.Error("the image that is needed is not whole, or another is left")
				}
				tw.CheckNothingOfOurs(t, s.Store)
			})
		}
	}
}

// After the deletions the store is read only if something may need what was deleted,
// or if it may not be as the run left it.
func TestWhenTheStoreIsReadAgain(t *testing.T) {
	const least = 2 // before the deletions, and to measure
	for name, c := range map[string]struct {
		happens  func(*tw.Scene, *teller)
		readings int
	}{
		"nothing appears": {func(*tw.Scene, *teller) {}, least},
		"others need nothing": {func(s *tw.Scene, _ *teller) {
			s.Add(tw.Active("theirs", "stays"), tw.Container("c", "stays:1", "theirs"))
		}, least},
		"a view without a lease of what stays": {func(s *tw.Scene, _ *teller) { s.Add(tw.View("theirs", "stays", tw.GCRoot())) }, least},
		"a view without a lease":               {func(s *tw.Scene, _ *teller) { s.Add(tw.View("theirs", "top29", tw.GCRoot())) }, least + 1},
		"a record is deleted by others": {func(_ *tw.Scene, told *teller) {
			told.tell(time.Now(), &eventtypes.ImageDelete{Name: "others:1"})
			told.tell(time.Now(), &eventtypes.ImageCreate{Name: "nobody's:1"}) // that one is noted by now
		}, least + 1},
		"a record is written as it is deleted": {func(_ *tw.Scene, told *teller) {
			told.tell(time.Now(), &eventtypes.ImageUpdate{Name: "i29:1"})
			told.tell(time.Now(), &eventtypes.ImageCreate{Name: "nobody's:1"})
		}, least + 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, manyAndBystander())
			_, readings, err := slicedWith(s, func(slice int, told *teller) {
				if slice == 0 {
					c.happens(s, told)
				}
			})
			if err != nil || readings != c.readings {
				t.Errorf("%d readings, want %d; %v", readings, c.readings, err)
			}
		})
	}
}

// A container whose ID was that of another has to be looked at anew.
func TestNewcomerOfAKnownID(t *testing.T) {
	world := manyAndBystander()
	world["default"] = append(world["default"], tw.Active("web", "stays"), tw.Container("web", "stays:1", "web"))
	s := tw.NewScene(t, world)
	report, _, err := slicedWith(s, func(slice int, _ *teller) {
		if slice == 1 {
			tw.Must(0, s.Store.Containers().Delete(s.Ctx, "web"))
			tw.Must(0, s.Store.Snapshotter("memory").Remove(s.Ctx, "web"))
			s.Add(tw.Active("web", "top29"), tw.Container("web", "", "web"))
		}
	})
	if err != nil || len(report.Restored) != 1 || report.Restored[0].Target != tw.Digest("m29") {
		t.Errorf("restored %+v, %v", report.Restored, err)
	}
}

// Nor is it known what stands on a layer that is new: the image may have been
// unpacked again, elsewhere, by somebody who had looked it up before.
func TestNewcomerOnANewLayer(t *testing.T) {
	s := tw.NewScene(t, manyAndBystander())
	report, _, err := slicedWith(s, func(slice int, _ *teller) {
		if slice == 1 {
			s.Add(tw.Snapshot(tw.Layer("6"), "", tw.In("other"), tw.GCRoot()))
			tw.Must(0, store.Relabel(s.Ctx, s.Store.Content(), tw.Digest("c29"), map[string]string{store.SnapshotLabel + "other": tw.Layer("6")}))
			s.Add(tw.Active("mine", tw.Layer("6"), tw.In("other")), tw.Container("c", "", "mine", tw.In("other")))
		}
	})
	if err != nil || len(report.Restored) != 1 || report.Restored[0].Target != tw.Digest("m29") {
		t.Errorf("restored %+v, %v", report.Restored, err)
	}
}
