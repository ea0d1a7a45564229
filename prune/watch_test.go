package prune

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
)

// teller is a store that tells of events.
type teller struct {
	Store
	told   chan *events.Envelope
	failed chan error
}

func newTeller(s *rootStore) *teller {
	return &teller{untransactional{s}, make(chan *events.Envelope), make(chan error, 2)}
}

func (l *teller) Events() events.Subscriber { return l }

func (l *teller) Subscribe(ctx context.Context, _ ...string) (<-chan *events.Envelope, <-chan error) {
	context.AfterFunc(ctx, func() { close(l.failed) })
	return l.told, l.failed
}

func (l *teller) tell(at time.Time, event any) {
	l.told <- &events.Envelope{Timestamp: at, Namespace: "default", Topic: "/images/any", Event: must(typeurl.MarshalAny(event))}
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
		s := newScene(t, small())
		store := newTeller(s.store)
		store.failed <- c.err
		report, err := s.plan(process(t, 1)).Execute(t.Context(), store, ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
		if c.want == "" && (err != nil || len(report.Untagged) != 2) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(report.Untagged) != 0) {
			t.Errorf("%v: untagged %v, %v", c.err, report.Untagged, err)
		}
		checkNothingOfOurs(t, s.store)
	}
}

// What was written before a deletion went with it, what was written after it
// did not.
func TestTookAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newTeller(nil)
		x := &execution{store: store, batches: make([]batch, 1), deleted: make(map[[2]string]time.Time), report: &Report{}, told: make(map[string]struct{})}
		x.watch = x.watchRecords(t.Context())
		defer x.watch.stop()
		start := time.Now()
		for name, written := range map[string]time.Duration{"before:1": -time.Minute, "by then:1": tellTime, "later:1": time.Minute} {
			x.deleted[[2]string{"default", name}] = start
			store.tell(start.Add(written), &eventtypes.ImageUpdate{Name: name, Labels: map[string]string{"by": "others"}})
			store.tell(start.Add(written), &eventtypes.ImageDelete{Name: name})
		}
		store.tell(start, &eventtypes.ImageCreate{Name: "never answered:1"})
		if err := x.watch.await(t.Context(), x.deleted); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for name, want := range map[string]bool{"before:1": true, "by then:1": true, "later:1": false, "never answered:1": true, "alone:1": false} {
			d := Decision{Namespace: "default", Name: name}
			if got := x.tookAlong(d, x.watch.of(d.key())); got != want {
				t.Errorf("%s: %v", name, got)
			}
		}
		x.deleted[[2]string{"default", "never told of:1"}] = start
		if x.endWatch(t.Context()); len(x.errs) != 1 || !errors.Is(x.errs[0], context.DeadlineExceeded) || strings.Contains(x.errs[0].Error(), "stopped") {
			t.Errorf("a deletion that is never told of: %v", x.errs)
		}
		store.failed <- errors.New("EOF")
		if x.endWatch(t.Context()); len(x.errs) != 2 || !strings.Contains(x.errs[1].Error(), "deleting was stopped") || !strings.Contains(x.errs[1].Error(), "EOF") {
			t.Errorf("a stream that ends: %v", x.errs)
		}
	})
}
