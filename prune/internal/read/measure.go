package read

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"

	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	// questions is how many questions for sizes are under way at once: thousands of
	// small ones, of which many fit into one write to the socket.
	questions = 64
	// walks is the same for active snapshots, whose files are walked for it.
	walks = 4
	// walkTries is how often an active snapshot is measured: its files may come and
	// go, and a walk fails on one that went.
	walkTries = 2
)

// noSize is that of a snapshot that went since it was listed.
const noSize = -2

// Measure asks for the sizes of snapshots of an inventory, and adds what their
// snapshotters leave out, where the files can be seen.
func Measure(ctx context.Context, st store.Store, inv *inventory.Inventory, ids []inventory.SnapshotID, opts ReadOptions) (inventory.Sizes, error) {
	r, err := NewRuler(ctx, st, inv, ids, opts)
	if err != nil {
		return nil, err
	}
	return r.Measure(ctx, ids)
}

// Ruler measures snapshots.
type Ruler struct {
	store  store.Store
	inv    *inventory.Inventory
	opts   ReadOptions
	onDisk *disk.Sizes
	// inodes are counted by [Ruler.Count].
	inodes []int64
}

// NewRuler reads what can be read of the sizes of snapshots without asking for each.
func NewRuler(ctx context.Context, st store.Store, inv *inventory.Inventory, ids []inventory.SnapshotID, opts ReadOptions) (*Ruler, error) {
	if !slices.IsSortedFunc(ids, inventory.CompareSnapshotIDs) {
		ids = slices.SortedFunc(slices.Values(ids), inventory.CompareSnapshotIDs)
	}
	onDisk, err := disk.NewSizes(ctx, st, ids)
	if err != nil {
		return nil, fmt.Errorf("measuring snapshots: %w", err)
	}
	return &Ruler{store: st, inv: inv, opts: opts, onDisk: onDisk}, nil
}

// OnDisk is what was read of the disk.
func (r *Ruler) OnDisk() *disk.Sizes { return r.onDisk }

// Measure measures snapshots of those that the ruler was made for.
func (r *Ruler) Measure(ctx context.Context, ids []inventory.SnapshotID) (inventory.Sizes, error) {
	st, inv := r.store, r.inv
	m := measuring{plugins: newPlugins(st, r.opts, inv), onDisk: r.onDisk, ids: ids, bytes: make([]int64, len(ids)), inodes: r.inodes, progress: NewMeter(r.opts.Progress, StageRead)}
	var committed, active []int
	for i, bytes := range r.onDisk.Recorded(ids) {
		id := ids[i]
		if bytes >= 0 {
			m.bytes[i] = bytes
			m.count(i, 0)
			m.progress.Add(1)
		} else if inv.Namespace(id.Namespace).Snapshots[id.SnapshotKey].Kind == snapshots.KindActive {
			active = append(active, i)
		} else {
			committed = append(committed, i)
		}
	}
	g, within := errgroup.WithContext(ctx)
	g.Go(func() error { return eachOf(within, questions, committed, m.ask) })
	g.Go(func() error { return eachOf(within, walks, active, m.walk) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(m.plugins.silent, func(name string) bool { return !slices.Contains(inv.Silent(), name) }) {
		if _, err := st.Namespaces(ctx); err != nil { // it is containerd that does not answer
			return nil, fmt.Errorf("measuring snapshots: %w", err)
		}
	}
	return m.sizes(), nil
}

// Count measures snapshots as [Ruler.Measure] does, and counts their inodes.
func (r *Ruler) Count(ctx context.Context, ids []inventory.SnapshotID) (inventory.Sizes, inventory.Inodes, error) {
	r.inodes = make([]int64, len(ids))
	sizes, err := r.Measure(ctx, ids)
	inodes := make(inventory.Inodes, len(ids))
	for i, id := range ids {
		inodes[id] = r.inodes[i]
	}
	return sizes, inodes, err
}

// measuring is the state of [Measure]. Each snapshot has its own place in bytes.
type measuring struct {
	plugins  *plugins
	onDisk   *disk.Sizes
	ids      []inventory.SnapshotID
	bytes    []int64
	inodes   []int64 // nil if they are not counted
	progress *Meter
}

// ask has a snapshotter measure a snapshot, whose size is unknown where that does not
// answer.
func (m measuring) ask(ctx context.Context, i int) error {
	id := m.ids[i]
	usage, err := m.plugins.usage(store.InNamespace(ctx, id.Namespace), id.SnapshotKey)
	if errdefs.IsNotFound(err) {
		m.bytes[i] = noSize
		return nil
	}
	if isSilence(err) {
		m.bytes[i] = inventory.Unmeasured
		return nil
	}
	if err != nil {
		return fmt.Errorf("measuring snapshot %s in namespace %q: %w", id.SnapshotKey, id.Namespace, err)
	}
	m.bytes[i] = m.onDisk.Of(id, usage.Size)
	m.count(i, usage.Inodes)
	m.progress.Add(1)
	return nil
}

// count counts the inodes of a snapshot, of which so many were measured.
func (m measuring) count(i int, measured int64) {
	if m.inodes != nil {
		m.inodes[i] = m.onDisk.Inodes(m.ids[i], measured)
	}
}

// walk measures a snapshot that a container may be writing to, whose size is
// unknown where that fails more than once. An error does not say whether the
// snapshot or one of its files is gone.
func (m measuring) walk(ctx context.Context, i int) error {
	var err error
	for range walkTries {
		if err = m.ask(ctx, i); err == nil && m.bytes[i] != noSize {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
	}
	id := m.ids[i]
	if err == nil {
		_, err = m.plugins.stat(store.InNamespace(ctx, id.Namespace), id.SnapshotKey)
		if errdefs.IsNotFound(err) {
			return nil
		}
	}
	m.bytes[i] = inventory.Unmeasured
	return ctx.Err()
}

func (m measuring) sizes() inventory.Sizes {
	sizes := make(inventory.Sizes, len(m.ids))
	for i, id := range m.ids {
		if m.bytes[i] != noSize {
			sizes[id] = m.bytes[i]
		}
	}
	return sizes
}

// ReadMeasured reads the store and measures the snapshots that are asked for.
func ReadMeasured(ctx context.Context, store store.Store, scope inventory.Scope, now time.Time, opts ReadOptions, which func(*gc.Collector) []inventory.SnapshotID) (*inventory.Inventory, error) {
	inv, err := Read(ctx, store, scope, now, opts)
	if err != nil || opts.NoSizes {
		return inv, err
	}
	sizes, err := Measure(ctx, store, inv, which(gc.NewCollector(inv, now)), opts)
	if err != nil {
		return nil, err
	}
	return inv.WithSizes(sizes), nil
}
