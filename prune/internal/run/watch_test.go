package run_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"

	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// teller is a store that tells of events.
type teller struct {
	store.Store
	told   chan *events.Envelope
	failed chan error
}

func newTeller(s *root.RootStore) *teller {
	return &teller{tw.Singly(s), make(chan *events.Envelope), make(chan error, 2)}
}

func (l *teller) Events() events.Subscriber { return l }

func (l *teller) Subscribe(ctx context.Context, _ ...string) (<-chan *events.Envelope, <-chan error) {
	context.AfterFunc(ctx, func() { close(l.failed) })
	return l.told, l.failed
}

func (l *teller) tell(at time.Time, event any) {
	l.told <- &events.Envelope{Timestamp: at, Namespace: "default", Topic: "/images/any", Event: tw.Must(typeurl.MarshalAny(event))}
}

// Where the events cannot be had a run removes nothing; where there is no such
// service it does without.
func TestNoEvents(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{errdefs.ErrPermissionDenied, "nothing was removed"},
		{errors.New("EOF"), "nothing was removed"},
		{errdefs.ErrNotImplemented, ""},
	} {
		s := tw.NewScene(t, tw.Small())
		store := newTeller(s.Store)
		store.failed <- c.err
		report, err := run.Execute(t.Context(), s.Plan(tw.Process(t, 1)), store, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
		if c.want == "" && (err != nil || len(report.Untagged) != 2) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(report.Untagged) != 0) {
			t.Errorf("%v: untagged %v, %v", c.err, report.Untagged, err)
		}
		tw.CheckNothingOfOurs(t, s.Store)
	}
}

// What was written before a deletion went with it, what was written after it
// did not.
func TestTookAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newTeller(nil)
		x := &run.Execution{Store: store, Batches: make([]plan.Batch, 1), Deleted: make(map[[2]string]time.Time), Report: &run.Report{}, Told: make(map[string]struct{})}
		x.Watch = x.WatchRecords(t.Context())
		defer x.Watch.Stop()
		start := time.Now()
		for name, written := range map[string]time.Duration{"before:1": -time.Minute, "by then:1": run.EventLag, "later:1": time.Minute} {
			x.Deleted[[2]string{"default", name}] = start
			store.tell(start.Add(written), &eventtypes.ImageUpdate{Name: name, Labels: map[string]string{"by": "others"}})
			store.tell(start.Add(written), &eventtypes.ImageDelete{Name: name})
		}
		store.tell(start, &eventtypes.ImageCreate{Name: "never answered:1"})
		if err := x.Watch.Await(t.Context(), x.Deleted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for name, want := range map[string]bool{"before:1": true, "by then:1": true, "later:1": false, "never answered:1": true, "alone:1": false} {
			d := rules.Decision{Namespace: "default", Name: name}
			if got := x.TookAlong(d, x.Watch.Of(d.Key())); got != want {
				t.Errorf("%s: %v", name, got)
			}
		}
		x.Deleted[[2]string{"default", "never told of:1"}] = start
		if x.EndWatch(t.Context()); len(x.Errs) != 1 || !errors.Is(x.Errs[0], context.DeadlineExceeded) || strings.Contains(x.Errs[0].Error(), "stopped") {
			t.Errorf("a deletion that is never told of: %v", x.Errs)
		}
		store.failed <- errors.New("EOF")
		if x.EndWatch(t.Context()); len(x.Errs) != 2 || !strings.Contains(x.Errs[1].Error(), "deleting was stopped") || !strings.Contains(x.Errs[1].Error(), "EOF") {
			t.Errorf("a stream that ends: %v", x.Errs)
		}
	})
}
