package run_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Several records are deleted at once only where a deletion takes little time: where
// it waits for a disk, others who write would wait for all of them.
func TestRecordsAreDeletedOneByOneOnASlowDisk(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		want  int
	}{
		"in memory": {0, run.Deleters},
		"on a disk": {5 * time.Millisecond, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, many(40))
			var passed atomic.Int64
			now := func() time.Time { return tw.Noon.Add(time.Duration(passed.Load())) }
			under := newGate(c.want)
			s.Tape.Before = func(call string) error {
				if strings.HasPrefix(call, "delete") {
					passed.Add(int64(c.takes))
					under.enter()
				}
				return nil
			}
			s.Tape.After = func(call string) error {
				if strings.HasPrefix(call, "delete") {
					under.leave()
				}
				return nil
			}
			procfs := tw.Process(t, 1)
			if _, err := run.Execute(t.Context(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: now, Procfs: procfs}); err != nil {
				t.Fatal(err)
			}
			if under.most != c.want {
				t.Errorf("%d records were deleted at once, want %d", under.most, c.want)
			}
		})
	}
}

// gate counts how many are inside at once. From the tenth on nobody leaves before
// so many were.
type gate struct {
	mu                 sync.Mutex
	want               int
	came, inside, most int
	full               chan struct{}
}

func newGate(want int) *gate { return &gate{want: want, full: make(chan struct{})} }

func (g *gate) enter() {
	g.mu.Lock()
	g.came++
	g.inside++
	g.most = max(g.most, g.inside)
	if g.most == g.want {
		select {
		case <-g.full:
		default:
			close(g.full)
		}
	}
	wait := g.came >= 10
	g.mu.Unlock()
	if wait {
		select {
		case <-g.full:
		case <-time.After(time.Minute): // the test then says how many there were
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
}
