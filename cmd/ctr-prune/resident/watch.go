package resident

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// watcher watches use of images as long as a connection lasts.
type watcher struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// watchAgain is how long is waited before a watch that ended begins again.
const watchAgain = 5 * time.Second

// newRecorder makes what keeps when images were last used. It outlasts connections.
func (r *Resident) newRecorder(state string) *prune.UseRecorder {
	return &prune.UseRecorder{
		State: state, Now: r.o.Now,
		Told: func(what string, err error) {
			if err != nil {
				r.o.Log.Warn("watching the use of images", "step", what, "error", err)
			}
		},
		Heard: func(topic string) {
			if topic != topicContainerGone && topic != topicImageNew {
				return
			}
			select {
			case r.heard <- struct{}{}:
			default: // the loop will learn of it anyway
			}
		},
	}
}

// The events for which a resident that could not free enough tries again.
const (
	topicContainerGone = "/containers/delete"
	topicImageNew      = "/images/create"
)

// watch begins to watch a connection.
func (r *Resident) watch(conn *connection) {
	if conn.store.Events() == nil {
		return // nobody else can write to such a store
	}
	r.recorder.Read = prune.ReadOptions{Sources: conn.sources, Procfs: r.procfs()}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{cancel, make(chan struct{})}
	conn.watcher = w
	go func() {
		defer close(w.done)
		for {
			err := r.recorder.Run(ctx, conn.store)
			if ctx.Err() != nil {
				return
			}
			r.o.Log.Debug("the use of images is not watched", "error", err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(watchAgain):
			}
		}
	}()
}

// stop ends the watch, and waits until what is known is saved.
func (w *watcher) stop() {
	if w == nil {
		return
	}
	w.cancel()
	<-w.done
}

// Watched is since when use is watched, zero if it is not.
func (r *Resident) watched() time.Time {
	if r.recorder == nil {
		return time.Time{}
	}
	return r.recorder.View().Since(r.o.Now())
}
