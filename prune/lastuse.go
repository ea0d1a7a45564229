package prune

import (
	"context"
	"errors"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/recorder"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// LastUse is what is known at one moment of when images were last used, and since
// when that has been watched. It is used as a field of a [Policy], for a [Retention]
// that keeps what was used within some time. Nil knows nothing.
type LastUse = lastuse.View

// UseRecorder watches when images are used, by containerd's events and by looking at
// the store, and keeps that in a folder. It never writes to the store. Set its fields,
// at least Now, then call Run, and again whenever it returns before its context ends.
type UseRecorder = recorder.Recorder

// ReadLastUse reads what a [UseRecorder] has kept in a folder of state about a store.
// It is nil if nothing is kept of this store. After an error it knows nothing, and
// what is decided by it keeps more.
func ReadLastUse(ctx context.Context, state, store string) (*LastUse, error) {
	file, err := lastuse.In(state, store, trust.Self())
	if err != nil {
		return nil, err
	}
	log, err := file.Load(ctx)
	switch {
	case errors.Is(err, lastuse.ErrNoFolder):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return log.View(), nil
}

// NoteLastUse adds what an inventory has in use to what is kept of its store, if a
// [UseRecorder] has made a folder for that. That use is watched is not what a single
// look can say.
func NoteLastUse(ctx context.Context, state string, inv *Inventory, now time.Time) error {
	file, err := lastuse.In(state, inv.Store.ID, trust.Self())
	if err != nil {
		return err
	}
	look := recorder.LookOf(inv, now)
	err = file.Update(ctx, func(log *lastuse.Log) *lastuse.Log {
		log.Merge(look)
		return log
	})
	if errors.Is(err, lastuse.ErrNoFolder) {
		return nil
	}
	return err
}
