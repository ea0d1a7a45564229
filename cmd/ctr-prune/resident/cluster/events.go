package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Event is something that happened on a node.
type Event struct {
	Reason  string
	Message string
	// Warning says that somebody should look.
	Warning bool
}

// The reasons of events.
const (
	ReasonPruned    = "ImagesPruned"
	ReasonUnreached = "ImagePruneTargetUnreached"
	ReasonFailed    = "ImagePruneFailed"
)

const (
	// collection is where events of a node are: it has no namespace.
	collection = "/api/v1/namespaces/default/events"
	component  = "ctr-prune"
	// gap is how long after an event none of the same reason is sent. What happens
	// meanwhile is counted with the next.
	gap = 5 * time.Minute
	// maxMessage is how long a message may be.
	maxMessage = 1000
)

// Events tells an API server of events on one node. Those of a reason are one object,
// which counts them.
type Events struct {
	Access Access
	Node   string
	Now    func() time.Time

	mu   sync.Mutex
	told map[string]*told
}

// told is what was told of a reason.
type told struct {
	name        string
	count, sent int
	first, last time.Time
}

// Tell sends an event, unless one of the same reason was sent a moment ago: then it
// counts with the next. After an error it counts with the next as well.
func (e *Events) Tell(ctx context.Context, event Event) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.Now()
	if e.told == nil {
		e.told = make(map[string]*told)
	}
	t := e.told[event.Reason]
	if t == nil {
		t = &told{first: now}
		e.told[event.Reason] = t
	}
	t.count++
	if t.name != "" && now.Sub(t.last).Abs() < gap {
		return nil
	}
	t.last = now
	return e.send(ctx, event, t)
}

// send counts an event with the earlier ones of its reason, or makes one: the API
// server forgets them after some time.
func (e *Events) send(ctx context.Context, event Event, t *told) error {
	event.Message = event.Message[:min(maxMessage, len(event.Message))]
	if t.name != "" {
		err := e.Access.do(ctx, http.MethodPatch, collection+"/"+t.name, "application/merge-patch+json", map[string]any{
			"count": t.count, "lastTimestamp": t.last.UTC().Format(time.RFC3339), "message": event.Message,
		}, nil)
		if !errors.Is(err, errNotFound) {
			return err
		}
		t.count, t.first = t.count-t.sent, t.last
	}
	t.name = ""
	name := fmt.Sprintf("%s.%x", e.Node, t.last.UnixNano())
	err := e.Access.do(ctx, http.MethodPost, collection, "application/json", e.object(name, event, t), nil)
	if err == nil {
		t.name, t.sent = name, t.count
	}
	return err
}

// object is an event for the API server. As the kubelet does, it takes the name of the
// node for its UID, by which kubectl describe node finds it.
func (e *Events) object(name string, event Event, t *told) map[string]any {
	kind := "Normal"
	if event.Warning {
		kind = "Warning"
	}
	return map[string]any{
		"kind": "Event", "apiVersion": "v1", "metadata": map[string]any{"name": name, "namespace": "default"},
		"involvedObject": map[string]any{"kind": "Node", "apiVersion": "v1", "name": e.Node, "uid": e.Node},
		"reason":         event.Reason, "message": event.Message, "type": kind,
		"source": map[string]any{"component": component, "host": e.Node}, "reportingComponent": component, "reportingInstance": e.Node,
		"firstTimestamp": t.first.UTC().Format(time.RFC3339), "lastTimestamp": t.last.UTC().Format(time.RFC3339), "count": t.count,
	}
}
