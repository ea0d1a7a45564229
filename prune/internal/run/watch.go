package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// eventPatience bounds how long a run waits to be told of its own deletions.
// containerd tells of each before it answers.
const eventPatience = 10 * time.Second

// watchedEvents choose what containerd tells: of records that are written and
// deleted, by whomever, and of snapshots that may need an image that the run
// deleted. Containers are listed.
func watchedEvents() []string {
	return []string{`topic=="/images/create"`, `topic=="/images/update"`, `topic=="/images/delete"`, `topic=="/snapshot/prepare"`}
}

// watch follows what happens to the records of a run while it deletes them. A
// deletion can depend on the target alone, so that a record which somebody
// pulls again, tags again or pins at that moment goes with what was written.
// The event tells of it, and what is in it: the record is left alone, or made
// again as it was written.
type watch struct {
	end context.CancelFunc
	// alive ends with the first failure.
	alive context.Context
	fell  context.CancelFunc
	done  chan struct{}
	wake  chan struct{} // something was noted

	mu      sync.Mutex
	records map[[2]string]sighting
	err     error
	// prepared are the snapshots that were made since the last [watch.news],
	// written the names of records, both by namespace.
	prepared map[string][]inventory.SnapshotKey
	written  map[string][]string
	// blind says that this containerd tells of no events at all.
	blind bool
}

// sighting is what events told of a record.
type sighting struct {
	written time.Time // the last time, zero if never
	labels  map[string]string
	deleted bool
}

// WatchRecords begins to watch the records of the batches. A store that nobody
// else can write to needs no watch: it is nil then, which sees nothing.
func (x *Execution) WatchRecords(ctx context.Context) *watch {
	subscriber := x.Store.Events()
	if subscriber == nil || len(x.Batches) == 0 {
		return nil
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx)) // an interrupted run looks again, too
	w := &watch{end: end, done: make(chan struct{}), wake: make(chan struct{}, 1), records: make(map[[2]string]sighting)}
	w.news() // makes room for it
	w.alive, w.fell = context.WithCancel(ctx)
	told, failed := subscriber.Subscribe(ctx, watchedEvents()...)
	select {
	case err := <-failed: // before the run begins
		w.fail(err)
	default:
	}
	go w.follow(told, failed)
	return w
}

// Stop ends the watch and waits for that.
func (w *watch) Stop() {
	if w != nil {
		w.end()
		<-w.done
	}
}

// follow notes events until there are no more.
func (w *watch) follow(told <-chan *events.Envelope, failed <-chan error) {
	defer close(w.done)
	for {
		select {
		case e := <-told:
			w.note(e)
		case err, more := <-failed:
			if !more {
				w.fail(errors.New("containerd sends no more events"))
				return
			}
			w.fail(err)
		}
	}
}

// fail notes why the watch does not see all. An administrator may have disabled
// the service of events: then there is nothing to watch, as there was not before.
func (w *watch) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blind = w.blind || errdefs.IsNotImplemented(err)
	if w.blind {
		w.signal()
		return
	}
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("watching for records that other clients write: %w", err)
	}
	w.fell()
	w.signal()
}

// guard calls stop when the watch fails, until the function that it returns is
// called.
func (w *watch) guard(stop func()) func() bool {
	if w == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(w.alive, stop)
}

func (w *watch) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watch) note(e *events.Envelope) {
	event, err := typeurl.UnmarshalAny(e.Event)
	if err != nil {
		w.fail(fmt.Errorf("reading an event about %s: %w", e.Topic, err))
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch event := event.(type) {
	case *eventtypes.ImageCreate:
		w.wrote(e, event.Name, event.Labels)
	case *eventtypes.ImageUpdate:
		w.wrote(e, event.Name, event.Labels)
	case *eventtypes.SnapshotPrepare:
		w.prepared[e.Namespace] = append(w.prepared[e.Namespace], inventory.SnapshotKey{Snapshotter: event.Snapshotter, Key: event.Key})
	case *eventtypes.ImageDelete:
		key := [2]string{e.Namespace, event.Name}
		s := w.records[key]
		s.deleted = true
		w.records[key] = s
		w.signal()
	}
}

func (w *watch) wrote(e *events.Envelope, name string, labels map[string]string) {
	key := [2]string{e.Namespace, name}
	s := w.records[key]
	s.written, s.labels = e.Timestamp, labels
	w.records[key] = s
	w.written[e.Namespace] = append(w.written[e.Namespace], name)
}

// news tells what has come since it was last asked, as far as containerd has told
// by now.
func (w *watch) news() (prepared map[string][]inventory.SnapshotKey, written map[string][]string) {
	if w == nil {
		return nil, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	prepared, written = w.prepared, w.written
	w.prepared, w.written = make(map[string][]inventory.SnapshotKey), make(map[string][]string)
	return prepared, written
}

// sees says whether containerd tells of what comes, as far as there is anything
// to tell.
func (w *watch) sees() bool { return w == nil || w.failure() == nil && !w.sightless() }

// failure is why the watch does not see all, if so.
func (w *watch) failure() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *watch) sightless() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.blind
}

// Of returns what was seen of a record, by its namespace and name.
func (w *watch) Of(key [2]string) sighting {
	if w == nil {
		return sighting{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.records[key]
}

// Await returns when the deletions of all the records were seen, and with them
// all that was written before.
func (w *watch) Await(ctx context.Context, deleted map[[2]string]time.Time) error {
	if w == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, eventPatience)
	defer cancel()
	for key := range deleted {
		for !w.Of(key).deleted {
			if err := w.failure(); err != nil || w.sightless() {
				return err
			}
			select {
			case <-w.wake:
			case <-ctx.Done():
				return fmt.Errorf("waiting for the event of the deletion of %q in namespace %q: %w", key[1], key[0], ctx.Err())
			}
		}
	}
	return nil
}

// deletions is how many records were seen to be deleted, by whomever.
func (w *watch) deletions() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.records {
		if s.deleted {
			n++
		}
	}
	return n
}

// EventLag is how much later a write may be dated than the answer to a deletion that
// came after it: an event has the time at which containerd tells of the write.
const EventLag = 100 * time.Millisecond

// EndWatch waits until all is known that others wrote before the last deletion.
func (x *Execution) EndWatch(ctx context.Context) {
	err := x.Watch.Await(ctx, x.Deleted)
	if err != nil && x.gone == nil {
		x.gone = x.silent(ctx, err)
	}
	switch {
	case x.gone != nil:
		x.Report.Untried += len(x.unsure)
	case x.Watch.failure() != nil:
		x.fail(cause.CodeUpdateLost, fmt.Errorf("deleting was stopped, and a record that was updated at the moment of its deletion may be lost: %w", err))
	case err != nil:
		x.fail(cause.CodeUpdateLost, fmt.Errorf("a record that was updated at the moment of its deletion may be lost: %w", err))
	}
}

// lastSeen returns a record that is gone as it was: of the plan, or as somebody
// has written it since. The event does not say what the record named. That is
// known if the deletion depended on it, so not from a server before 2.0.
func (x *Execution) lastSeen(d rules.Decision) images.Image {
	image := *d.Image
	s := x.Watch.Of(d.Key())
	switch {
	case !x.TookAlong(d, s):
	case x.serverCompares():
		image.Labels, image.UpdatedAt = s.labels, s.written
	default:
		x.failOn(cause.CodeUpdateLost, d, fmt.Errorf("image %q in namespace %q was updated at the moment of its deletion, and this containerd does not report its new target: pull it or tag it again", d.Name, d.Namespace))
	}
	return image
}

// TookAlong says whether what was written last went with a deletion by the run.
// What was written later somebody else removed again.
func (x *Execution) TookAlong(d rules.Decision, s sighting) bool {
	if s.written.IsZero() {
		return false
	}
	at, answered := x.Deleted[d.Key()]
	return !answered || !s.written.After(at.Add(EventLag))
}
