package run_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// sliced is how many images a run of these tests gives up in slices.
const sliced = 30

// manyImages are images i0:1, i1:1 and so on, each with a manifest, a config and
// a snapshot of its own on one that all share.
func manyImages() tw.World {
	things := []tw.Thing{tw.Snapshot("base", "")}
	for i := range sliced {
		manifest, config, top := fmt.Sprint("m", i), fmt.Sprint("c", i), fmt.Sprint("top", i)
		things = append(things, tw.Snapshot(top, "base"), tw.Blob(config, tw.RefSnapshot(top)), tw.Blob(manifest, tw.RefContent(config)),
			tw.Record(fmt.Sprintf("i%02d:1", i), manifest))
	}
	return tw.World{"default": things}
}

// slicedRun is a run whose first slices are small.
func slicedRun(s *tw.Scene, started uint64) (*run.Report, error) {
	procfs := tw.Process(s.T, started)
	return run.Execute(s.T.Context(), s.Plan(procfs), s.Tape, inSlices(procfs))
}

// inSlices are options by which the clock stands still, so that the slices of a run do
// not depend on how busy the machine is: the first collection removes one image, the
// second only looks, and each slice that follows is four times as large as the last.
func inSlices(procfs proc.Procfs) run.ExecuteOptions {
	now := time.Now()
	return run.ExecuteOptions{Now: func() time.Time { return now }, Procfs: procfs, MaxStall: time.Nanosecond}
}

// isCollection says whether a call asks for the collection of a slice.
func isCollection(call string) bool {
	return strings.HasPrefix(call, "free ctr-prune-") && strings.HasSuffix(call, " and collect")
}

// onSlice returns a hook that runs do at the collection of the slice of that
// number, from 1.
func onSlice(number int, do func() error) func(string) error {
	return func(call string) error {
		if isCollection(call) {
			if number--; number == 0 {
				return do()
			}
		}
		return nil
	}
}

func collections(s *tw.Scene) (n int) {
	for _, call := range s.Tape.Calls {
		if strings.HasSuffix(call, " and collect") {
			n++
		}
	}
	return n
}

// What a run deletes is removed by several collections, none of which can take
// long, and nothing of the run is left.
func TestSlices(t *testing.T) {
	s := tw.NewScene(t, manyImages())
	report, err := slicedRun(s, 1)
	if err != nil || len(report.Untagged) != sliced || report.Reclaimed.Snapshots != sliced+1 || report.Reclaimed.Blobs != 2*sliced {
		t.Errorf("%d untagged, %+v reclaimed, %v", len(report.Untagged), report.Reclaimed, err)
	}
	if n := collections(s); n < 3 {
		t.Errorf("%d collections", n)
	}
	tw.CheckRecordNames(t, s)
	tw.CheckNothingOfOurs(t, s.Store)
}

// One collection does where little goes, and where nobody minds.
func TestOneCollection(t *testing.T) {
	for name, c := range map[string]struct {
		world tw.World
		stall time.Duration
	}{
		"few images": {tw.Small(), 0}, "no limit": {manyImages(), -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, c.world)
			procfs := tw.Process(t, 1)
			report, err := run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, MaxStall: c.stall})
			if n := collections(s); err != nil || n != 1 || report.Stall <= 0 {
				t.Errorf("%d collections, of which the longest took %s, %v", n, report.Stall, err)
			}
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// A record that something needs by now is restored, if its slice was not given up
// yet, and all of the image is there.
func TestContainerAppearsBetweenSlices(t *testing.T) {
	const last = "29" // of the images, the one that is given up last
	for name, needs := range map[string]tw.Thing{
		"a container": tw.Container("c", "i"+last+":1", "mine"),
		"a lease":     tw.Lease("mount", tw.Holding(tw.TheSnapshot("memory", "mine"))),
	} {
		for _, number := range []int{1, 2, 3} {
			t.Run(fmt.Sprint(name, " after collection ", number), func(t *testing.T) {
				s := tw.NewScene(t, manyImages())
				s.Tape.After = onSlice(number, func() error {
					s.Add(tw.Active("mine", "top"+last), needs)
					return nil
				})
				report, err := slicedRun(s, 1)
				if err != nil || len(report.Restored) != 1 || report.Restored[0].Name != "i"+last+":1" {
					t.Errorf("restored %+v, %v", report.Restored, err)
				}
				tw.CheckRecordNames(t, s, "i"+last+":1")
				if !s.HasBlob("m"+last) || !s.HasBlob("c"+last) || s.HasBlob("m0") {
					t.Error("the image that is needed is not whole, or another is left")
				}
				tw.CheckNothingOfOurs(t, s.Store)
			})
		}
	}
}

// An image that is pulled again while its slice waits is whole afterwards.
func TestPulledAgainBetweenSlices(t *testing.T) {
	s := tw.NewScene(t, manyImages())
	s.Tape.After = onSlice(1, func() error { s.Add(tw.Record("i29:1", "m29")); return nil })
	report, err := slicedRun(s, 1)
	if err != nil || len(report.Untagged) != sliced-1 {
		t.Errorf("%d untagged, %v", len(report.Untagged), err)
	}
	tw.CheckRecordNames(t, s, "i29:1")
	if !s.HasBlob("m29") || !s.HasBlob("c29") {
		t.Error("the image is not whole")
	}
}

// A collection that fails once is asked for again. If it fails again the rest is
// collected at once, and the run says so.
func TestSliceThatIsNotCollected(t *testing.T) {
	for _, c := range []struct{ failures, errors int }{{1, 0}, {100, 1}} {
		t.Run(fmt.Sprint(c.failures), func(t *testing.T) {
			s := tw.NewScene(t, manyImages())
			left := c.failures
			s.Tape.Before = func(call string) error {
				if isCollection(call) && left > 0 {
					left--
					return tw.ErrDisk
				}
				return nil
			}
			report, err := slicedRun(s, 1)
			if len(report.Errors) != c.errors || c.errors > 0 && report.Errors[0].ReasonCode != cause.CodeSliceFailed {
				t.Errorf("%+v", report.Errors)
			}
			if (err != nil) != (c.errors > 0) || len(report.Untagged) != sliced || report.Reclaimed.Snapshots != sliced+1 {
				t.Errorf("%d untagged, %+v reclaimed, %v", len(report.Untagged), report.Reclaimed, err)
			}
			tw.CheckRecordNames(t, s)
		})
	}
}

// What appears while a collection fails is seen before the rest is collected.
func TestContainerAppearsWhileASliceFails(t *testing.T) {
	s := tw.NewScene(t, manyImages())
	needed := false
	s.Tape.Before = func(call string) error {
		if !isCollection(call) {
			return nil
		}
		if !needed {
			needed = true
			s.Add(tw.Active("mine", "top29"), tw.Container("c", "i29:1", "mine"))
		}
		return tw.ErrDisk
	}
	if report, err := slicedRun(s, 1); err == nil || len(report.Restored) != 1 {
		t.Errorf("restored %+v, %v", report.Restored, err)
	}
	tw.CheckRecordNames(t, s, "i29:1")
	if !s.HasBlob("m29") || !s.HasBlob("c29") {
		t.Error("the image is not whole")
	}
}

// Killed between two slices, a run has lost nothing that something needs, and the
// next one finishes it.
func TestKilledBetweenSlices(t *testing.T) {
	s := tw.NewScene(t, manyImages())
	down := false
	s.Tape.After = onSlice(1, func() error { down = true; return nil })
	s.Tape.Before = func(string) error {
		if down {
			return tw.ErrDown
		}
		return nil
	}
	if _, err := slicedRun(s, 1); !errors.Is(err, tw.ErrDown) {
		t.Fatal(err)
	}
	s.Tape.Before, s.Tape.After = nil, nil
	s.Collect()
	if s.HasBlob("m0") || !s.HasBlob("m29") || !s.HasBlob("c29") {
		t.Fatal("what was given up is there, or what was not is gone")
	}
	s.Add(tw.Container("c", "i29:1", ""))
	report := s.Recover()
	if r := report.Recovered[0]; len(r.Untagged) != sliced-1 || tw.NamesOf([]inventory.Record{{Name: r.Restored[0].Name}}) != "i29:1" {
		t.Errorf("%d stay away, restored %+v", len(r.Untagged), r.Restored)
	}
	tw.CheckRecordNames(t, s, "i29:1")
}
