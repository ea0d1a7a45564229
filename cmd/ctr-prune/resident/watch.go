package resident

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
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
	recorder := &prune.UseRecorder{
		State: state, Now: r.o.Now, Told: r.toldOfUse,
		Heard: func(topic string) {
			if topic == topicContainerGone || topic == topicImageNew {
				r.heard.Store(true)
			}
		},
	}
	recorder.Clock.Up = r.o.Up
	return recorder
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
	r.recorder.Read = prune.ReadOptions{Sources: conn.watched, Procfs: r.procfs()}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{cancel, make(chan struct{})}
	conn.watcher = w
	go func() {
		defer close(w.done)
		for {
			err := r.recorder.Run(ctx, conn.store)
			select {
			case <-ctx.Done(): // or containerd is gone, which is told otherwise
				return
			case <-time.After(watchAgain):
				r.toldOfUse(stepFollowing, err)
			}
		}
	}()
}

// stepFollowing is what fails if containerd tells of no more events, although it
// answers.
const stepFollowing = "following containerd's events"

// unwatched are the steps of watching that failed when they were last tried.
type unwatched struct {
	mu   sync.Mutex
	errs map[string]string
	// broken is when containerd last told of no more events.
	broken time.Time
}

// set notes what came of a step, and says whether that is new.
func (u *unwatched) set(step, failed string, now time.Time) (news bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if step == stepFollowing && failed != "" {
		u.broken = now
	}
	if news = u.errs[step] != failed; news && failed == "" {
		delete(u.errs, step)
	} else if news {
		u.errs[step] = failed
	}
	return news
}

// follows says that events have been followed again for some time.
func (u *unwatched) follows(now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.errs[stepFollowing] != "" && now.Sub(u.broken).Abs() >= lookEvery
}

// sentence is what fails, "" if nothing does.
func (u *unwatched) sentence() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var all []string
	for _, step := range slices.Sorted(maps.Keys(u.errs)) {
		all = append(all, step+": "+u.errs[step])
	}
	return strings.Join(all, "; ")
}

// toldOfUse takes over what came of a step of watching. What fails is told once.
func (r *Resident) toldOfUse(step string, err error) {
	failed := ""
	if err != nil {
		failed = strings.ReplaceAll(err.Error(), "\n", "; ")
	} else if step != stepFollowing && r.unwatched.follows(r.o.Now()) {
		r.toldOfUse(stepFollowing, nil)
	}
	news := r.unwatched.set(step, failed, r.o.Now())
	r.o.Metrics.Watching(r.unwatched.sentence() == "")
	switch {
	case !news:
	case err != nil:
		r.o.Log.Warn("watching the use of images", "step", step, "error", failed)
	default:
		r.o.Log.Info("watching the use of images works again", "step", step)
	}
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
	return r.recorder.Since(r.o.Now())
}
