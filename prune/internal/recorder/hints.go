package recorder

import (
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/typeurl/v2"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
)

// topics are the events that hint at a use, and those after which names and images
// may be others.
func topics() []string {
	return []string{`topic=="/containers/create"`, `topic=="/containers/delete"`, `topic=="/snapshot/prepare"`, `topic=="/images/create"`, `topic=="/images/update"`}
}

// pendingKey tells hints apart that mean different images, pendingUse is when such
// a hint came last.
type pendingKey struct {
	namespace, image string
	snapshot         inventory.SnapshotKey
}

type pendingUse struct {
	use inventory.Use
	at  time.Time
}

// maxPending bounds how many hints wait for a look.
const maxPending = 10_000

// hear takes an event as a hint. One that cannot be read wants a look.
func (w *watching) hear(e *events.Envelope) {
	if w.Heard != nil {
		w.Heard(e.Topic)
	}
	event, err := typeurl.UnmarshalAny(e.Event)
	if err != nil {
		w.want()
		return
	}
	switch event := event.(type) {
	case *eventtypes.ContainerCreate:
		c := containers.Container{ID: event.ID, Image: event.Image}
		if w.holders != nil {
			w.holders[[2]string{e.Namespace, event.ID}] = c
		}
		w.usedBy(e.Namespace, c)
	case *eventtypes.ContainerDelete:
		w.ended([2]string{e.Namespace, event.ID})
	case *eventtypes.SnapshotPrepare:
		w.prepared(e.Namespace, event)
	case *eventtypes.ImageCreate, *eventtypes.ImageUpdate:
		w.stale[e.Namespace] = true
		w.want()
	}
}

// ended notes that a container was there until now. The event does not say of which
// image, so it has to be remembered.
func (w *watching) ended(key [2]string) {
	for _, all := range []map[[2]string]containers.Container{w.holders, w.older} {
		if c, known := all[key]; known {
			delete(w.holders, key)
			delete(w.older, key)
			w.usedBy(key[0], c)
			return
		}
	}
}

// usedBy notes what the record of a container says.
func (w *watching) usedBy(namespace string, c containers.Container) {
	use, err := inventory.ContainerUse(c)
	if err != nil {
		use = inventory.Use{Holder: inventory.HolderOf(c), Image: c.Image, Snapshot: inventory.SnapshotKey{Snapshotter: c.Snapshotter, Key: c.SnapshotKey}}
	}
	w.used(namespace, use)
}

// prepared notes that something is to stand on the layers of an image, unless that
// is an image that is being unpacked.
func (w *watching) prepared(namespace string, event *eventtypes.SnapshotPrepare) {
	names := []string{event.Snapshotter}
	if event.Snapshotter == "" { // before 1.7
		names = w.inv.Store.Snapshotters
	}
	for _, name := range names {
		key := inventory.SnapshotKey{Snapshotter: name, Key: event.Key}
		if event.Parent == "" || !clients.IsMount(key, inventory.Snapshot{Kind: snapshots.KindActive}) {
			continue
		}
		w.used(namespace, inventory.Use{
			Holder:   cause.Holder{Kind: cause.KindWritable, ID: key.String()},
			Snapshot: inventory.SnapshotKey{Snapshotter: name, Key: event.Parent},
		})
	}
}

// used notes a use now, and has it found out what it is of where that is not known.
func (w *watching) used(namespace string, use inventory.Use) {
	now := w.moment()
	found, news := w.note(namespace, use, now.Wall)
	if news {
		w.keep(true, now)
	}
	if found && !w.stale[namespace] || use.Image == "" && use.Snapshot.Key == "" {
		return
	}
	if len(w.pending) < maxPending {
		w.pending[pendingKey{namespace, use.Image, use.Snapshot}] = pendingUse{use, now.Wall}
	}
	w.want()
}

// note records what a use means by the last look, if it means anything.
func (w *watching) note(namespace string, use inventory.Use, at time.Time) (found, news bool) {
	view, known := w.views[namespace]
	if !known {
		return false, false
	}
	targets := view.Meant(use)
	w.mu.Lock()
	defer w.mu.Unlock()
	for target, by := range targets {
		news = w.log.Note(lastuse.Key{Namespace: namespace, Target: target}, lastuse.Use{At: at, By: by}) || news
	}
	return len(targets) > 0, news
}

// solve records the hints whose image the look has found. What it has not found
// is of no image that is there.
func (w *watching) solve() (news bool) {
	for key, p := range w.pending {
		_, more := w.note(key.namespace, p.use, p.at)
		news = news || more
	}
	clear(w.pending)
	return news
}
