package model

import (
	"context"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/typeurl/v2"
)

// subscription is how a run hears what becomes of records: after it was done,
// and before whoever did it knows.
type subscription struct {
	ctx  context.Context
	told chan *events.Envelope
}

// Events is for a store that others may write to.
func (w *watched) Events() events.Subscriber {
	if !w.daemon {
		return w.Store.Events()
	}
	return w
}

// Subscribe implements [events.Subscriber], of all that there is.
func (w *watched) Subscribe(ctx context.Context, _ ...string) (<-chan *events.Envelope, <-chan error) {
	failed := make(chan error, 1)
	s := &subscription{ctx, make(chan *events.Envelope)}
	if err := w.moment(); err != nil {
		failed <- err
	} else {
		w.m.subscription = s
	}
	context.AfterFunc(ctx, func() { close(failed) })
	return s.told, failed
}

// tell tells of what became of a record: without a name it is gone.
func (m *machine) tell(ns, name string, was, is images.Image) {
	topic, event := "/images/update", any(&eventtypes.ImageUpdate{Name: name, Labels: is.Labels})
	switch {
	case is.Name == "":
		topic, event = "/images/delete", &eventtypes.ImageDelete{Name: name}
	case was.Name == "":
		topic, event = "/images/create", &eventtypes.ImageCreate{Name: name, Labels: is.Labels}
	}
	m.publish(ns, topic, event)
}

func (m *machine) publish(ns, topic string, event any) {
	s := m.subscription
	if s == nil {
		return
	}
	encoded, err := typeurl.MarshalAny(event)
	m.must(err)
	select {
	case s.told <- &events.Envelope{Timestamp: time.Now(), Namespace: ns, Topic: topic, Event: encoded}:
	case <-s.ctx.Done():
	}
}

// tellOf tells of what the run itself did to a record.
func (w *watched) tellOf(ctx context.Context, name string, was, is images.Image) {
	ns, _ := namespaces.Namespace(ctx)
	w.m.tell(ns, name, was, is)
}
