package prune

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// A container that appears right when the labels of its image's config go, and
// that only its snapshot ties to the image, gets a stand-in and the labels back: in the
// run that took them, and, if that one is killed, in the next.
func TestContainerAppearsAsLabelsGo(t *testing.T) {
	for _, killed := range []bool{false, true} {
		s := newScene(t, world{"default": {
			blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a"),
			lease(historyLease, holding(theBlob("b"))),
		}})
		s.tape.before = func(call string) error {
			switch {
			case call == "label «b»" && !s.hasContainer("c"):
				s.add(snapshot("rw", "s1"), container("c", "", "rw"))
			case killed && call != "label «b»" && s.hasContainer("c"):
				return errDown
			}
			return nil
		}
		_, err := s.run(context.Background(), process(t, 1))
		if killed {
			s.tape.before = nil
			_, err = s.run(context.Background(), process(t, 2))
		}
		if err != nil {
			t.Fatal(err)
		}
		checkRecordNames(t, s, "<none>@«a»")
		if labels := leases.SnapshotLabels(must(s.store.Content().Info(s.ctx, dig("b"))).Labels); len(labels) != 1 || !s.hasBlob("a") {
			t.Errorf("killed %v: labels %v, a %v", killed, labels, s.hasBlob("a"))
		}
		checkNothingOfOurs(t, s.store)
	}
}

func (s *scene) hasContainer(id string) bool {
	_, err := s.store.Containers().Get(s.ctx, id)
	return err == nil
}

// What a killed run left of an image whose names go together is judged with the
// names that are gone: the next run ends where that one would have.
func TestRestOfAnImageIsJudgedAsTheWhole(t *testing.T) {
	config := "sha256:" + dig("b").Encoded()
	s := newScene(t, world{store.CRINamespace: {
		blob("a", refContent("b")), blob("b"), record("x.example/app:1", "a"), record(config, "a"),
	}})
	set := must(filters.Parse(filters.Options{All: true, Filters: []string{"reference=*/app:1"}}, time.Now()))
	policy := rules.Policy{Namespaces: []string{store.CRINamespace}, Filters: set}
	run := func(n uint64) (*run.Report, error) {
		opts := read.ReadOptions{Procfs: process(t, n)}
		plan := must(flow.ReadPlan(s.ctx, s.store, policy, time.Now(), opts))
		return run.Execute(s.ctx, plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: opts.Procfs})
	}
	other := make(chan struct{}) // closed when the first name is gone: records are deleted side by side
	var down atomic.Bool
	s.tape.before = func(call string) error {
		if strings.HasPrefix(call, "delete ") && !strings.HasPrefix(call, "delete x.example") {
			<-other
			down.Store(true)
		}
		if down.Load() {
			return errDown
		}
		return nil
	}
	s.tape.after = func(call string) error {
		if strings.HasPrefix(call, "delete x.example") {
			close(other)
		}
		return nil
	}
	if _, err := run(1); err == nil {
		t.Fatal("the run was not killed")
	}
	s.tape.before, s.tape.after = nil, nil
	report, err := run(2)
	if err != nil || len(report.Recovered) != 1 || len(report.Recovered[0].Restored) != 0 || s.hasBlob("a") {
		t.Errorf("%+v, %v, a is there: %v", report.Recovered, err, s.hasBlob("a"))
	}
}
