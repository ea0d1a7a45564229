package run

import (
	"context"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	// silentTries is for how many times the time for one answer a snapshotter may
	// be silent before a collection is not waited for any longer.
	silentTries = 3
	// unaskedTries is the same for one that cannot be asked, because the collection
	// has taken all its snapshots: it may only be slow.
	unaskedTries = 60
)

// Hangs returns what watches a collection of a store. A collection may take any
// time, but it never ends if it is to remove something from a snapshotter that
// hangs. So each snapshotter is asked for one of its snapshots again and again
// meanwhile. containerd passes such a question on even while it collects.
func Hangs(st store.Store, inv *inventory.Inventory, pluginTime time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		watches := watchesOf(st, inv, read.PluginTime(pluginTime))
		ends := make(chan error, len(watches))
		for _, w := range watches {
			go func() { ends <- w.wait(ctx) }()
		}
		var hung error
		for range watches {
			if err := <-ends; err != nil && hung == nil {
				hung = err
				cancel()
			}
		}
		return hung
	}
}

func (o ExecuteOptions) hangs(st store.Store, inv *inventory.Inventory) func(context.Context) error {
	return Hangs(st, inv, o.PluginTime)
}

// silenceWatch waits until a snapshotter has been silent for too long.
type silenceWatch struct {
	name        string
	snapshotter snapshots.Snapshotter
	// known are snapshots that it had; none if it did not answer before.
	known []inventory.SnapshotID
	time  time.Duration
}

// watchesOf returns one for each snapshotter from which a collection may remove
// something.
func watchesOf(st store.Store, inv *inventory.Inventory, answer time.Duration) []*silenceWatch {
	byName := make(map[string]*silenceWatch)
	watch := func(name string) *silenceWatch {
		if byName[name] == nil {
			byName[name] = &silenceWatch{name: name, snapshotter: st.Snapshotter(name), time: answer}
		}
		return byName[name]
	}
	for _, name := range inv.Silent() {
		watch(name)
	}
	for _, ns := range inv.Namespaces {
		for key := range ns.Snapshots {
			w := watch(key.Snapshotter)
			w.known = append(w.known, inventory.SnapshotID{Namespace: ns.Name, SnapshotKey: key})
		}
	}
	list := make([]*silenceWatch, 0, len(byName))
	for _, w := range byName {
		list = append(list, w)
	}
	return list
}

// wait returns the error when the tries of the snapshotter are used up, which
// begin anew with each answer, and nil when ctx ends or nothing can be told of it.
func (w *silenceWatch) wait(ctx context.Context) error {
	tick := time.NewTicker(w.time)
	defer tick.Stop()
	tries, name, asked := silentTries, w.name, len(w.known) > 0
	for left := tries; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if left--; left == 0 {
			return &lock.UnendedError{Snapshotter: name, Within: time.Duration(tries) * w.time}
		}
		if !asked {
			continue
		}
		if w.answers(ctx) {
			left = tries
		}
		if len(w.known) == 0 {
			if builtIn(w.name) {
				return nil
			}
			tries, name, asked = unaskedTries, "", false
			left = tries
		}
	}
}

// answers asks for one of the snapshots that are left. For one that containerd
// has removed it does not ask the snapshotter.
func (w *silenceWatch) answers(ctx context.Context) (yes bool) {
	ctx, cancel := context.WithTimeout(ctx, w.time)
	defer cancel()
	for len(w.known) > 0 {
		id := w.known[0]
		_, err := w.snapshotter.Stat(store.InNamespace(ctx, id.Namespace), id.Key)
		if !errdefs.IsNotFound(err) {
			return yes || ctx.Err() == nil // an error is an answer: containerd gets it, too
		}
		w.known, yes = w.known[1:], true
	}
	return true
}

// builtIn says whether a snapshotter is a part of containerd, which does not hang
// alone. It is only slow if it removes many files.
func builtIn(name string) bool {
	switch name {
	case "overlayfs", "native", "blockfile", "btrfs", "devmapper", "erofs", "zfs", "aufs":
		return true
	}
	return false
}
