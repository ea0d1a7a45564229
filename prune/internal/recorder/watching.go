package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/events"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	// saveEvery is how soon news is saved, and how often at most; beatEvery is how
	// often it is saved without news that use is still watched. It is well below
	// [lastuse.Bridged].
	saveEvery = time.Minute
	beatEvery = 5 * time.Minute
	// lookEvery is how often the store is looked at without a hint, restEvery how
	// long it is left alone after a look, and settle how long more hints are awaited.
	lookEvery = time.Minute
	restEvery = 10 * time.Second
	settle    = time.Second
	// share is which part of the time looks may take, as its inverse.
	share = 300
	// wholeEvery is how often the content is read although all images are known.
	wholeEvery = 10 * time.Minute
)

// watching is one run of a recorder.
type watching struct {
	*Recorder
	store store.Store
	inv   *inventory.Inventory
	views map[string]rules.View
	// holders are the containers of the last look and those that came since, older
	// those before: what is told of a container may come after a look without it.
	holders, older map[[2]string]containers.Container
	// pending are the hints whose image is not known, stale the namespaces in which
	// names may have moved.
	pending map[pendingKey]pendingUse
	stale   map[string]bool

	// next, rest and unsaved end the times until the next look, in which there is
	// none, and until what is new is saved. Wanted says that a hint wants a look.
	next, rest, unsaved <-chan time.Time
	wanted              bool
	beaten, whole       time.Duration
}

// follow notes events and looks until there are no more.
func (w *watching) follow(ctx context.Context, told <-chan *events.Envelope, failed <-chan error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-told:
			w.hear(e)
		case err, more := <-failed:
			if !more {
				err = errors.New("there are no more")
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("following containerd's events: %w", err)
		case <-w.next:
			w.tell(Looking, w.look(ctx))
		case <-w.rest:
			w.rest = nil
			if w.wanted {
				w.next = w.after(settle)
			}
		case <-w.unsaved:
			w.unsaved = nil
			w.save(ctx)
		}
	}
}

// look finds out who uses what, and what the hints meant.
func (w *watching) look(ctx context.Context) error {
	began := w.moment()
	known := w.inv
	if len(w.pending) > 0 || began.Up-w.whole >= wholeEvery {
		known = nil
	}
	inv, err := read.Uses(ctx, w.store, known, began.Wall, w.Read)
	w.wanted = false
	defer func() { w.again(w.moment().Up - began.Up) }()
	if err != nil {
		return err
	}
	if known == nil {
		w.whole = began.Up
	}
	w.see(inv)
	look := lookOf(inv, w.views, began.Wall)
	w.mu.Lock()
	news := w.log.Merge(look)
	news = w.log.Watched(began) || news
	w.mu.Unlock()
	w.keep(w.solve() || news, began)
	return nil
}

// again sets when the store is looked at again, by what looking costs.
func (w *watching) again(cost time.Duration) {
	pause := min(max(restEvery, share*cost), lastuse.Bridged/2)
	w.rest, w.next = w.after(pause), w.after(max(lookEvery, pause))
}

// want has the store looked at soon.
func (w *watching) want() {
	if !w.wanted && w.rest == nil {
		w.next = w.after(settle)
	}
	w.wanted = true
}

// keep has what is new saved within a minute, and that use is watched now and then.
func (w *watching) keep(news bool, now lastuse.Moment) {
	if w.beaten == 0 {
		w.beaten = now.Up
	}
	if w.unsaved == nil && (news || now.Up-w.beaten >= beatEvery) {
		w.unsaved, w.beaten = w.after(saveEvery), now.Up
	}
}

// see takes over what a look has found.
func (w *watching) see(inv *inventory.Inventory) {
	w.inv, w.views = inv, viewsOf(inv)
	w.older, w.holders = w.holders, make(map[[2]string]containers.Container)
	for _, ns := range inv.Namespaces {
		for _, c := range ns.Containers {
			w.holders[[2]string{ns.Name, c.ID}] = c
		}
	}
	clear(w.stale)
}
