package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/typeurl/v2"

	"github.com/ctr-prune/ctr-prune/prune/internal/recorder"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// feed is a store that tells of events which a test makes up.
type feed struct {
	store.Store
	told chan *events.Envelope
}

func (f feed) Events() events.Subscriber { return f }

func (f feed) Subscribe(ctx context.Context, _ ...string) (<-chan *events.Envelope, <-chan error) {
	failed := make(chan error)
	context.AfterFunc(ctx, func() { close(failed) })
	return f.told, failed
}

// TestTenThousandEvents shows what they cost at 1,000 images: all name one that is
// known, so that there is no look but the first.
func TestTenThousandEvents(t *testing.T) {
	var things []tw.Thing
	for i := range 1000 {
		text := fmt.Sprint("image", i)
		things = append(things, tw.Record(fmt.Sprintf("x.io/app-%d:1", i), text), tw.Blob(text))
	}
	const n = 10_000
	f := feed{tw.NewScene(t, tw.World{"default": things}).Store, make(chan *events.Envelope)}
	looks := -1 // but the first
	r := recorder.Recorder{Now: func() time.Time { return tw.Noon }, Told: func(string, error) { looks++ }}
	r.Clock.After = func(time.Duration) <-chan time.Time { return nil } // no time goes by
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx, f) }()
	var began time.Duration
	for i := range n {
		event, err := typeurl.MarshalAny(&eventtypes.ContainerCreate{ID: fmt.Sprint("c", i), Image: fmt.Sprintf("x.io/app-%d:1", i%1000)})
		if err != nil {
			t.Fatal(err)
		}
		f.told <- &events.Envelope{Namespace: "default", Topic: "/containers/create", Event: event}
		if i == 0 {
			began = spent(t) // after the first look
		}
	}
	t.Logf("%d events took %s of processor time", n, spent(t)-began)
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if use := r.View().Last("default", tw.Digest("image999"), tw.Noon); looks > 0 || use.By != "container c999" {
		t.Errorf("%d more looks, used by %q", looks, use.By)
	}
}

// spent is the processor time of this process.
func spent(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
