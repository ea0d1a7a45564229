package prune

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

// built is an image of which build history keeps the config.
func built(more ...thing) world {
	return world{"default": with([]thing{
		blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a"),
		lease(historyLease, holding(theBlob("b"))),
	}, more...)}
}

func (t *tape) count(call string) (n int) {
	for _, c := range t.calls {
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
		s := newScene(t, built())
		s.tape.before = func(call string) error {
			if call == "label «b»" {
				return errLabels
			}
			return nil
		}
		began := time.Now()
		report, err := s.run(t.Context(), leases.Procfs{})
		if !errors.Is(err, errLabels) || len(report.Errors) != 1 || !report.Measured || s.hasBlob("a") || !s.hasBlob("b") {
			t.Errorf("%+v, %v", report, err)
		}
		// It looks at containers in six readings, and before and after.
		if tries, looks := s.tape.count("label «b»"), s.tape.count("look"); tries != run.LabelTries || looks > 8 {
			t.Errorf("%d tries, %d looks", tries, looks)
		}
		if took := time.Since(began); took != 3*run.FirstPause {
			t.Errorf("it took %s", took)
		}
		checkNothingOfOurs(t, s.store)
	})
}

// Labels that cannot be given back to an image that needs them keep the run from
// giving up what holds its snapshots: the next run does that.
func TestLabelsThatCannotBeGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, built())
		s.tape.before = func(call string) error {
			switch {
			case call != "label «b»":
				return nil
			case s.tape.count(call) > 1:
				return errLabels
			}
			s.add(record("x:2", "a"), container("c", "x:2", ""))
			return nil
		}
		report, err := s.run(t.Context(), process(t, 1))
		if !errors.Is(err, errLabels) || report.Measured || s.tape.count("label «b»") != 1+run.LabelTries {
			t.Errorf("%+v, %v", report, err)
		}
		s.tape.before = nil
		report, err = s.run(t.Context(), process(t, 2))
		if err != nil || len(report.Recovered) != 1 {
			t.Errorf("the next run: %+v, %v", report, err)
		}
		labels := leases.SnapshotLabels(must(s.store.Content().Info(s.ctx, dig("b"))).Labels)
		if _, err := s.store.Snapshotter("memory").Stat(s.ctx, "s1"); err != nil || len(labels) != 1 {
			t.Errorf("x:2 is there with the labels %v, its snapshot: %v", labels, err)
		}
	})
}

// A run that has to stop looking while containers keep appearing says so; that
// some go is no reason to look again.
func TestContainersKeepAppearing(t *testing.T) {
	for name, test := range map[string]struct {
		change func(s *scene, look int)
		told   bool
	}{
		"appear": {func(s *scene, look int) { s.add(container(fmt.Sprint("new-", look), "", "")) }, true},
		"go": {func(s *scene, look int) {
			must(0, run.IgnoreNotFound(s.store.Containers().Delete(s.ctx, fmt.Sprint("old-", look))))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var old []thing
				for i := range 100 {
					old = append(old, container(fmt.Sprint("old-", i), "", ""))
				}
				s := newScene(t, small(old...))
				looks := 0
				s.tape.before = func(call string) error {
					if call == "look" && s.tape.count("delete x:1")+s.tape.count("delete x:2") == 2 {
						looks++
						test.change(s, looks)
					}
					return nil
				}
				report, err := s.run(t.Context(), leases.Procfs{})
				told := err != nil && strings.Contains(err.Error(), "containers kept appearing")
				if told != test.told || (err != nil) != test.told || !report.Measured || len(report.Untagged) != 2 {
					t.Errorf("%+v, %v", report, err)
				}
				if most := 3*run.MaxLooks + 1; looks > most || !test.told && looks > 4 {
					t.Errorf("%d looks", looks)
				}
			})
		})
	}
}
