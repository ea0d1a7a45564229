package resident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/cluster"
)

const (
	// kubeletEvery is how often the kubelet is asked for its marks.
	kubeletEvery = time.Hour
	// maxEvents is how many events wait to be sent; more are left out.
	maxEvents = 16
	// lastWords is how long the last event may take when the resident ends.
	lastWords = 5 * time.Second
)

// announcer tells the cluster of events, beside the loop: the API server may not
// answer.
type announcer struct {
	events chan cluster.Event
	done   chan struct{}
}

// announce begins to tell of events, if there is a way to.
func (r *Resident) announce() *announcer {
	if r.o.Event == nil {
		return nil
	}
	a := &announcer{make(chan cluster.Event, maxEvents), make(chan struct{})}
	go func() {
		defer close(a.done)
		var failed string
		for event := range a.events {
			failed = r.toldCluster(failed, r.o.Event(context.Background(), event))
		}
	}()
	return a
}

// toldCluster tells of an event that could not be sent, once until one can be.
func (r *Resident) toldCluster(before string, err error) (failed string) {
	if err == nil {
		return ""
	}
	r.o.Metrics.ClientFailed(clientEvents)
	if failed = err.Error(); failed != before {
		r.o.Log.Warn("the cluster is not told of events", "error", failed)
	}
	return failed
}

// The clients whose errors are counted beside those that use images.
const (
	clientEvents  = "events"
	clientKubelet = "kubelet"
)

// stop waits a moment for what is to be sent.
func (a *announcer) stop() {
	if a == nil {
		return
	}
	close(a.events)
	select {
	case <-a.done:
	case <-time.After(lastWords):
	}
}

// event tells the cluster of something, if that is asked for.
func (r *Resident) event(reason string, warning bool, format string, args ...any) {
	if r.announcer == nil || !r.conf.Serve.Events {
		return
	}
	select {
	case r.announcer.events <- cluster.Event{Reason: reason, Message: fmt.Sprintf(format, args...), Warning: warning}:
	default: // the log has it
	}
}

// events are those of a run.
func (r *Resident) eventsOf(out *outcome) {
	if out.dry {
		return
	}
	switch {
	case out.result == resultFailed || out.result == resultRefused:
		r.event(cluster.ReasonFailed, true, "Run %s (%s) failed: %s", out.name, out.trigger, out.why())
	case out.doc != nil && len(out.doc.Untagged) > 0:
		r.event(cluster.ReasonPruned, false, "Run %s (%s) removed %d image names and freed %d bytes", out.name, out.trigger, len(out.doc.Untagged), out.doc.Reclaimed.TotalBytes)
	}
	if out.trigger == triggerPressure && !out.reached && out.short != "" {
		r.event(cluster.ReasonUnreached, true, "Not enough could be freed: %s", out.short)
	}
}

// why is what went wrong in a run.
func (o *outcome) why() string {
	if o.err != nil {
		return strings.ReplaceAll(o.err.Error(), "\n", "; ")
	}
	if o.doc != nil && len(o.doc.Errors) > 0 {
		return o.doc.Errors[0].Reason
	}
	return o.result
}

// KubeletStatus is what the kubelet of the node does by itself.
type KubeletStatus struct {
	Checked time.Time `json:"checked"`
	// Conflicts are where it acts before the policy does.
	Conflicts []string `json:"conflicts"`
	// Error is why that is not known.
	Error string `json:"error,omitempty"`
}

// askKubelet asks the kubelet for its marks.
func (r *Resident) askKubelet(ctx context.Context) {
	r.kubeletAt = r.o.Now().Add(kubeletEvery)
	r.do(ctx, "asking the kubelet for its marks", func(asking context.Context) func() {
		marks, err := r.o.Kubelet(asking)
		return func() {
			if ctx.Err() == nil {
				r.comparesMarks(marks, err)
			}
		}
	})
}

// comparesMarks compares the kubelet's marks with those of the policy, and warns of
// what differs from the last time.
func (r *Resident) comparesMarks(marks cluster.Marks, err error) {
	before := r.facts.kubelet
	now := &KubeletStatus{Checked: r.o.Now(), Conflicts: []string{}}
	if err != nil {
		now.Error = err.Error()
		r.o.Metrics.ClientFailed(clientKubelet)
		if before == nil || before.Error != now.Error {
			r.o.Log.Warn("the kubelet's marks are not known", "error", now.Error)
		}
	} else {
		now.Conflicts = append(now.Conflicts, marks.Conflicts(r.conf.Disk.Both().High, r.conf.Disk.Inodes.Both().High)...)
	}
	for _, conflict := range now.Conflicts {
		if before == nil || !slices.Contains(before.Conflicts, conflict) {
			r.o.Log.Warn("the kubelet acts before this policy does", "reason", conflict)
		}
	}
	r.facts.kubelet = now
	r.o.Metrics.KubeletConflicts(len(now.Conflicts))
}
