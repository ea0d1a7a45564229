package read

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// parallel is how many requests a read has under way at once. More do not
// help: a containerd answers them from one database.
const parallel = 8

// ReadOptions are the settings of a read that do not belong to a policy.
type ReadOptions struct {
	// Sources tell what clients use that containerd does not know of.
	Sources []clients.Source
	// Procfs is where the owners of run leases are looked up.
	Procfs proc.Procfs
	// Progress, if not nil, is told how far a stage has come.
	Progress func(Progress)
	// AllSizes makes flow.ReadPlan measure every snapshot, not only those of images and
	// those that the plan tells of, for df.Usage.
	AllSizes bool
	// OnlyGoing makes flow.ReadPlan measure no snapshot only to tell the size of an image
	// that stays, which is then a lower bound: for plans that are carried out unseen.
	OnlyGoing bool
	// Origins reads from configs which commands made the layers, and when, for
	// df.Usage.
	Origins bool
	// NoSizes leaves the sizes of snapshots out, where nobody is told of them.
	NoSizes bool
	// PluginTime is how long a snapshotter may take for an answer, which may be a
	// program of its own that hangs; ten seconds if zero.
	PluginTime time.Duration
}

// Read takes the inventory of a store: each list once, containers last, so that
// a container created meanwhile is not missed. Sizes of snapshots are not read.
// After any error the inventory could be incomplete, so none is returned.
func Read(ctx context.Context, store store.Store, scope inventory.Scope, now time.Time, opts ReadOptions) (*inventory.Inventory, error) {
	return read(ctx, store, &scope, now, opts, nil)
}

// ReadAgain reads a store again, but for what cannot have changed: what the
// manifests say, and the sizes of snapshots. What appeared since that is about to
// be a container counts as one.
func ReadAgain(ctx context.Context, store store.Store, before *inventory.Inventory, now time.Time, opts ReadOptions) (*inventory.Inventory, error) {
	inv, err := read(ctx, store, before.Scope, now, opts, before)
	if err != nil {
		return nil, err
	}
	clients.AddBeginnings(inv, before)
	return inv.WithSizes(before.Sizes), nil
}

func read(ctx context.Context, store store.Store, scope *inventory.Scope, now time.Time, opts ReadOptions, before *inventory.Inventory) (*inventory.Inventory, error) {
	r, inv, err := begin(ctx, store, scope, now, opts, before)
	if err != nil {
		return nil, err
	}
	if err := r.lists(ctx, inv); err != nil {
		return nil, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.files(ctx, inv) })
	g.Go(func() error { return r.uses(ctx, inv) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	inv.EmptyLost()
	return inv, nil
}

// uses reads what the lists do not tell of who uses what.
func (r *reader) uses(ctx context.Context, inv *inventory.Inventory) error {
	for _, step := range []func(context.Context, *inventory.Inventory) error{r.killed, r.containers, r.asking().Learn, r.documents, r.origins} {
		if err := step(ctx, inv); err != nil {
			return err
		}
	}
	return nil
}

// begin makes an inventory with the names of all namespaces, and its reader.
func begin(ctx context.Context, store store.Store, scope *inventory.Scope, now time.Time, opts ReadOptions, before *inventory.Inventory) (*reader, *inventory.Inventory, error) {
	info, err := store.Info(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("identifying the store: %w", err)
	}
	info.Snapshotters = append([]string{}, info.Snapshotters...) // JSON would call nil null
	names, err := store.Namespaces(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("listing namespaces: %w", err)
	}
	inv := &inventory.Inventory{Store: info, Scope: scope}
	for _, name := range names {
		inv.Namespaces = append(inv.Namespaces, &inventory.Namespace{Name: name})
	}
	return &reader{store: store, scope: scope, info: info, opts: opts, before: before, now: now, progress: NewMeter(opts.Progress, StageRead), plugins: newPlugins(store, opts, before), texts: newTexts()}, inv, nil
}

// reader reads one inventory.
type reader struct {
	store    store.Store
	info     store.StoreInfo
	opts     ReadOptions
	scope    *inventory.Scope
	before   *inventory.Inventory
	mu       sync.Mutex
	now      time.Time
	progress *Meter
	plugins  *plugins
	texts    *texts
}

// asking is what it takes to learn who uses the images of the store.
func (r *reader) asking() clients.Asking {
	return clients.Asking{Store: r.store, Info: r.info, Sources: r.opts.Sources, Procfs: r.opts.Procfs, Now: r.now, Again: r.before != nil}
}

// each runs the tasks with bounded parallelism and returns the first error.
func each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	return eachOf(ctx, parallel, items, do)
}

func eachOf[T any](ctx context.Context, limit int, items []T, do func(context.Context, T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(limit)
	for _, item := range items {
		g.Go(func() error { return do(ctx, item) })
	}
	return g.Wait()
}

// documents reads what containerd's labels do not tell: which manifest a
// target is about, and the labels of configs where a filter asks for them.
func (r *reader) documents(ctx context.Context, inv *inventory.Inventory) error {
	for _, ns := range inv.Namespaces {
		if !inv.Scope.Has(ns.Name) {
			continue
		}
		if r.before != nil {
			manifests.TakeDocuments(ns, r.before.Namespace(ns.Name))
			continue
		}
		labels := inv.Scope.HasLabels()
		l := manifests.NewLibrary(ns, r.store.Content())
		targets := make(map[digest.Digest]bool, len(ns.Images))
		for _, image := range ns.Images {
			targets[image.Target.Digest] = true
		}
		ns.Subjects = make(map[digest.Digest]digest.Digest)
		ns.Unreadable = make(map[digest.Digest]string)
		ns.Configs = make(map[digest.Digest]inventory.Config)
		var mu sync.Mutex
		err := each(store.InNamespace(ctx, ns.Name), slices.Sorted(maps.Keys(targets)), func(ctx context.Context, target digest.Digest) error {
			subject, unread := l.Subject(ctx, target)
			var config inventory.Config
			if labels {
				config = l.Configs(ctx, target)
			}
			mu.Lock()
			defer mu.Unlock()
			if subject != "" {
				ns.Subjects[target] = subject
			}
			if unread != nil {
				ns.Unreadable[target] = unread.Error()
			}
			if labels {
				ns.Configs[target] = config
			}
			return ctx.Err()
		})
		if err != nil {
			return fmt.Errorf("reading the manifests of namespace %q: %w", ns.Name, err)
		}
	}
	return nil
}
