package recorder

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// Recorder watches when images are used, and keeps that in a file. Its fields are
// set before it runs.
type Recorder struct {
	// State is the folder in which each store has one of its own, which is created;
	// "" keeps everything in memory.
	State string
	// Now is the time of day.
	Now func() time.Time
	// Read are how the store is read. Its sources are asked at each look.
	Read read.ReadOptions
	// Told, if not nil, is called after each attempt to look or to save, with what
	// failed. What could not be saved is kept in memory and saved the next time.
	Told func(what string, err error)
	// Heard, if not nil, is called with the topic of each event.
	Heard func(topic string)
	Clock Clock

	bootID string
	// unread says that what is in the file could not be read.
	unread bool
	mu     sync.Mutex
	log    *lastuse.Log
	id     string
	file   *lastuse.File
}

// The attempts that [Recorder.Told] is told of.
const (
	Looking = "looking at the store"
	Saving  = "saving when images were last used"
	Loading = "reading when images were last used"
)

// View is what is known now; nil before the first look.
func (r *Recorder) View() *lastuse.View {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log == nil {
		return nil
	}
	return r.log.View()
}

// Since is what [lastuse.View.Since] says now, for who asks often: a view is a copy of
// all that is known.
func (r *Recorder) Since(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log == nil {
		return time.Time{}
	}
	return r.log.Since(now)
}

// Looked is when the store was last looked at, zero if it never was.
func (r *Recorder) Looked() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log == nil {
		return time.Time{}
	}
	return r.log.Looked()
}

// Run watches a store until the context ends or containerd tells of no more events,
// and says why it ended. Then it may be called again, with the store that was opened
// anew: it looks, and goes on where it was. Nothing that it started outlasts it.
func (r *Recorder) Run(ctx context.Context, st store.Store) error {
	if err := r.open(ctx, st); err != nil {
		return err
	}
	subscriber := st.Events()
	if subscriber == nil {
		return errors.New("this store tells of no events: nothing else can write to it")
	}
	ctx, end := context.WithCancel(ctx)
	told, failed := subscriber.Subscribe(ctx, topics()...)
	defer func() {
		end()
		for range failed { // until the subscription has ended
		}
	}()
	w := &watching{Recorder: r, store: st, pending: make(map[pendingKey]pendingUse), stale: make(map[string]bool)}
	err := w.look(ctx)
	r.tell(Looking, err)
	if err != nil {
		return fmt.Errorf("looking at who uses images: %w", err)
	}
	r.save(ctx)
	err = w.follow(ctx, told, failed)
	if ctx.Err() != nil {
		r.watched() // until now
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), savePatience)
	defer cancel()
	r.save(last)
	return err
}

// savePatience bounds how long the last saving may take.
const savePatience = 20 * time.Second

// open reads what is known of the store, unless it is the one that was watched
// before.
func (r *Recorder) open(ctx context.Context, st store.Store) error {
	info, err := st.Info(ctx)
	if err != nil {
		return fmt.Errorf("identifying the store: %w", err)
	}
	if r.log != nil && r.id == info.ID {
		return nil
	}
	file, log := (*lastuse.File)(nil), lastuse.NewLog()
	if r.State != "" {
		if file, err = lastuse.In(r.State, info.ID, trust.Self()); err == nil {
			if err = file.Create(); err == nil {
				log, err = file.Load(ctx)
			}
		}
		r.unread = err != nil
		r.tell(Loading, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.id, r.file, r.log = info.ID, file, log
	return ctx.Err()
}

func (r *Recorder) tell(what string, err error) {
	if r.Told != nil {
		r.Told(what, err)
	}
}

// watched notes that use is watched now.
func (r *Recorder) watched() {
	now := r.moment()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Watched(now)
}

// save writes what is known, with what others have added to the file.
func (r *Recorder) save(ctx context.Context) {
	if r.file == nil {
		return
	}
	err := r.file.Create() // somebody may have removed it
	if err == nil {
		err = r.file.Update(ctx, func(there *lastuse.Log) *lastuse.Log {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.log.Join(there)
			return r.log
		})
	}
	if r.unread && err == nil {
		r.unread = false // it has been begun anew
		r.tell(Loading, nil)
	}
	r.tell(Saving, err)
}
