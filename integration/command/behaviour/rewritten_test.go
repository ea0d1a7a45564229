package behaviour_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/prune"
)

// mine is the record that somebody writes while it is to go.
const mine = "docker.io/library/mine:1"

// pin is what a user writes to a record to keep it.
func pin() map[string]string { return map[string]string{"ctr-prune/keep": "yes", "team": "a"} }

// A record that is pinned while the run deletes others is left alone, whatever
// its turn is.
func TestPinnedDuringTheRun(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		for _, n := range []string{"a:1", "b:1", "c:1", "d:1", "e:1"} {
			s.added("docker.io/library/"+n, 1)
		}
		s.added(mine, 1)
		s.ready()
		store := s.daemon.Open()
		defer store.Close()
		plan := planned(t, store)
		var once sync.Once
		p := s.execute(plan, hooked{Store: store, deleted: func(context.Context) {
			once.Do(func() { s.must(s.Label(s.ctx(), mine, pin())) })
		}}, expected{changes: true})
		p.wantNames("default", mine)
		p.wantLabels(mine, pin())
	})
}

// One that is written when its deletion is already on its way comes back as it
// was written. A server before 2.0 does not tell enough for that: the run says
// so.
func TestWrittenInTheMomentOfItsDeletion(t *testing.T) {
	writes := map[string]struct {
		write   func(s *subject) error
		labels  map[string]string
		because string
	}{
		"pinned":       {func(s *subject) error { return s.Label(s.ctx(), mine, pin()) }, pin(), "pinned by label"},
		"pulled again": {func(s *subject) error { return s.Tag(s.ctx(), mine, mine) }, nil, "updated since the plan was made"},
		"removed, then pulled again": {func(s *subject) error {
			s.must(s.Tag(s.ctx(), mine, "docker.io/library/held:1"), s.Untag(s.ctx(), mine))
			return s.Tag(s.ctx(), "docker.io/library/held:1", mine)
		}, nil, "updated since the plan was made"},
	}
	for what, w := range writes {
		t.Run(what, func(t *testing.T) {
			onDaemons(t, func(t *testing.T, s *subject) { s.testWritten(func() { s.must(w.write(s)) }, w.labels, w.because) })
		})
	}
}

func (s *subject) testWritten(write func(), labels map[string]string, because string) {
	kept, gone := s.added(mine, 1), s.added("docker.io/library/gone:1", 2)
	s.ready()
	store := s.daemon.Open()
	defer store.Close()
	plan := planned(s.t, store)
	before := s.state()
	report, err := prune.Execute(s.ctx(), hooked{Store: store, deleting: func(name string) {
		if name == mine {
			write()
		}
	}}, plan, prune.ExecuteOptions{Now: time.Now})
	p := pruned{t: s.t, Document: prune.ReportDocument(report), before: before, after: s.state()}
	p.wantBlobsGone(gone)
	if s.daemon.Version() == daemon.Versions()[1] {
		if err == nil || !strings.Contains(err.Error(), "at the moment of its deletion") {
			s.t.Errorf("an old server: %v", err)
		}
		return
	}
	s.must(err)
	p.check(expected{changes: true})
	p.wantLabels(mine, labels)
	wantWhole(s.t, p.after.Files, kept)
	if len(p.Restored) != 1 || p.Restored[0].Name != mine || !strings.Contains(p.Restored[0].Reason, because) {
		s.t.Errorf("restored: %+v, want it because %q", p.Restored, because)
	}
}

// Whoever removes a record that he has written wants it gone.
func TestWrittenAndRemovedByItsOwner(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.added(mine, 1)
		s.ready()
		store := s.daemon.Open()
		defer store.Close()
		plan := planned(t, store)
		p := s.execute(plan, hooked{Store: store, deleting: func(string) {
			s.must(s.Label(s.ctx(), mine, pin()), s.Untag(s.ctx(), mine))
		}}, expected{changes: true})
		p.wantNames("default")
		p.wantSkipped(mine, "somebody else has removed it")
	})
}

func (p pruned) wantLabels(name string, labels map[string]string) {
	p.t.Helper()
	if got := p.after.Namespaces["default"].Images[name].Labels; !maps.Equal(got, labels) {
		p.t.Errorf("labels of %s: %v, want %v", name, got, labels)
	}
}
