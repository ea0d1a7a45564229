package run_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// built is an image of which build history keeps the config.
func built(more ...tw.Thing) tw.World {
	return tw.World{"default": tw.With([]tw.Thing{
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a"),
		tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
	}, more...)}
}

func count(t *tw.Tape, call string) (n int) {
	for _, c := range t.Calls {
		if c == call {
			n++
		}
	}
	return n
}

var errLabels = errors.New("no labels today")

// Labels that cannot be taken off are tried a few times, each time later, and
// without the store being read anew for each; the rest goes all the same.
func TestLabelsThatCannotBeTakenOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tw.NewScene(t, built())
		s.Tape.Before = func(call string) error {
			if call == "label «b»" {
				return errLabels
			}
			return nil
		}
		began := time.Now()
		report, err := s.Run(t.Context(), proc.Procfs{})
		if !errors.Is(err, errLabels) || len(report.Errors) != 1 || report.Errors[0].ReasonCode != cause.CodeLabelsLeft || !report.Measured || s.HasBlob("a") || !s.HasBlob("b") {
			t.Errorf("%+v, %v", report, err)
		}
		// It looks at containers in six readings, and before and after.
		if tries, looks := count(s.Tape, "label «b»"), count(s.Tape, "look"); tries != run.LabelTries || looks > 8 {
			t.Errorf("%d tries, %d looks", tries, looks)
		}
		if took := time.Since(began); took != 3*run.FirstPause {
			t.Errorf("it took %s", took)
		}
		tw.CheckNothingOfOurs(t, s.Store)
	})
}

// Labels that cannot be given back to an image that needs them keep the run from
// giving up what holds its snapshots: the next run does that.
func TestLabelsThatCannotBeGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := tw.NewScene(t, built())
		s.Tape.Before = func(call string) error {
			switch {
			case call != "label «b»":
				return nil
			case count(s.Tape, call) > 1:
				return errLabels
			}
			s.Add(tw.Record("x:2", "a"), tw.Container("c", "x:2", ""))
			return nil
		}
		report, err := s.Run(t.Context(), tw.Process(t, 1))
		if !errors.Is(err, errLabels) || report.Measured || count(s.Tape, "label «b»") != 1+run.LabelTries {
			t.Errorf("%+v, %v", report, err)
		}
		s.Tape.Before = nil
		report, err = s.Run(t.Context(), tw.Process(t, 2))
		if err != nil || len(report.Recovered) != 1 {
			t.Errorf("the next run: %+v, %v", report, err)
		}
		labels := store.SnapshotLabels(tw.Must(s.Store.Content().Info(s.Ctx, tw.Digest("b"))).Labels)
		if _, err := s.Store.Snapshotter("memory").Stat(s.Ctx, "s1"); err != nil || len(labels) != 1 {
			t.Errorf("x:2 is there with the labels %v, its snapshot: %v", labels, err)
		}
	})
}

// A run that has to stop looking while containers keep appearing that need more
// says so; that others appear, or some go, is no reason to look again.
func TestContainersKeepAppearing(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *tw.Scene, look int)
		told   bool
	}{
		"appear": {func(s *tw.Scene, look int) {
			s.Add(tw.Container(fmt.Sprint("new-", look), fmt.Sprintf("i%02d:1", look), ""))
		}, true},
		"need nothing": {func(s *tw.Scene, look int) { s.Add(tw.Container(fmt.Sprint("new-", look), "", "")) }, false},
		"go": {func(s *tw.Scene, look int) {
			tw.Must(0, run.IgnoreNotFound(s.Store.Containers().Delete(s.Ctx, fmt.Sprint("old-", look))))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				things := manyImages()["default"]
				for i := range 100 {
					things = append(things, tw.Container(fmt.Sprint("old-", i), "", ""))
				}
				s := tw.NewScene(t, tw.World{"default": things})
				looks := 0
				s.Tape.Before = func(call string) error {
					if call == "look" && count(s.Tape, "delete i29:1") == 1 && looks < sliced-1 {
						looks++
						test.change(s, looks)
					}
					return nil
				}
				procfs := tw.Process(t, 1)
				report, err := run.Execute(t.Context(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, MaxStall: -1})
				told := err != nil && strings.Contains(err.Error(), "containers kept appearing")
				if told != test.told || (err != nil) != test.told || !report.Measured || !test.told && len(report.Untagged) != sliced {
					t.Errorf("%+v, %v", report, err)
				}
				if most := 3*run.MaxLooks + 2; looks > most || !test.told && looks > 4 {
					t.Errorf("%d looks", looks)
				}
			})
		})
	}
}
