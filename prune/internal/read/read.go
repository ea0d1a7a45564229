package read

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	// parallel is how many requests a read has under way at once. More do not
	// help: a containerd answers them from one database.
	parallel = 8
	// measurements is the same for the sizes of snapshots: thousands of small
	// questions, of which many fit into one write to the socket.
	measurements = 64
)

// ReadOptions are the parts of a read that a policy does not decide.
type ReadOptions struct {
	// Sources tell what clients use that containerd does not know of.
	Sources []clients.Source
	// Procfs is where the owners of run leases are looked up.
	Procfs proc.Procfs
	// Progress, if not nil, is told how far a stage has come.
	Progress func(Progress)
	// AllSizes makes flow.ReadPlan measure every snapshot, not only those that the
	// plan tells of, for df.Usage.
	AllSizes bool
}

// Read takes the inventory of a store: each list once, containers last, so
// that a container which appears meanwhile is seen rather than missed. Sizes of
// snapshots are not read. Any error means that the inventory is not to be
// trusted, and none is returned.
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
	info, err := store.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("identifying the store: %w", err)
	}
	names, err := store.Namespaces(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing namespaces: %w", err)
	}
	r := &reader{store: store, info: info, opts: opts, before: before, now: now, progress: NewMeter(opts.Progress, StageRead)}
	inv := &inventory.Inventory{Store: info, Scope: scope}
	for _, name := range names {
		inv.Namespaces = append(inv.Namespaces, &inventory.Namespace{Name: name})
	}
	for _, step := range []func(context.Context, *inventory.Inventory) error{r.lists, r.files, r.killed, r.containers, r.asking().Learn, r.documents} {
		if err := step(ctx, inv); err != nil {
			return nil, err
		}
	}
	inv.EmptyLost()
	return inv, nil
}

// reader reads one inventory.
type reader struct {
	store    store.Store
	info     store.StoreInfo
	opts     ReadOptions
	before   *inventory.Inventory
	now      time.Time
	progress *Meter
}

// asking is what it takes to learn who uses the images of the store.
func (r *reader) asking() clients.Asking {
	return clients.Asking{Store: r.store, Info: r.info, Sources: r.opts.Sources, Procfs: r.opts.Procfs, Now: r.now}
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

// lists reads everything but the containers.
func (r *reader) lists(ctx context.Context, inv *inventory.Inventory) error {
	type task = func(context.Context) error
	var tasks []task
	for _, ns := range inv.Namespaces {
		in := func(what string, do func(context.Context, *inventory.Namespace) error) task {
			return func(ctx context.Context) error {
				if err := do(store.InNamespace(ctx, ns.Name), ns); err != nil {
					return fmt.Errorf("listing the %s of namespace %q: %w", what, ns.Name, TooLarge(err))
				}
				return nil
			}
		}
		tasks = append(tasks, in("content", r.content), in("images", r.images), in("leases", r.leases),
			in("uploads", r.ingests), in("sandboxes", r.sandboxes), in("snapshots", r.snapshots))
	}
	return each(ctx, tasks, func(ctx context.Context, do task) error { return do(ctx) })
}

// TooLarge says what helps when containerd has more to say than it may send in
// one message, such as blobs with a hundred thousand labels.
func TooLarge(err error) error {
	if errdefs.IsResourceExhausted(err) {
		return &cause.CodeError{Code: "list-too-large", Err: fmt.Errorf("%w; if the list is too long for one message, raise max_send_message_size under [grpc] in containerd's configuration, or stop containerd and open its root", err)}
	}
	return err
}

func (r *reader) images(ctx context.Context, ns *inventory.Namespace) (err error) {
	ns.Images, err = r.store.Images().List(ctx)
	slices.SortFunc(ns.Images, func(a, b images.Image) int { return strings.Compare(a.Name, b.Name) })
	r.progress.Add(len(ns.Images))
	return err
}

func (r *reader) content(ctx context.Context, ns *inventory.Namespace) error {
	ns.Blobs = make(map[digest.Digest]content.Info)
	return r.store.Content().Walk(ctx, func(info content.Info) error {
		info.Size = max(info.Size, 0) // damaged metadata may say anything
		ns.Blobs[info.Digest] = info
		r.progress.Add(1)
		return nil
	})
}

func (r *reader) ingests(ctx context.Context, ns *inventory.Namespace) (err error) {
	ns.Ingests, err = r.store.Content().ListStatuses(ctx)
	slices.SortFunc(ns.Ingests, func(a, b content.Status) int { return strings.Compare(a.Ref, b.Ref) })
	return err
}

func (r *reader) sandboxes(ctx context.Context, ns *inventory.Namespace) (err error) {
	ns.Sandboxes, err = r.store.Sandboxes().List(ctx)
	if errdefs.IsNotImplemented(err) {
		return nil // containerd before 1.7 has no sandboxes
	}
	slices.SortFunc(ns.Sandboxes, func(a, b sandbox.Sandbox) int { return strings.Compare(a.ID, b.ID) })
	return err
}

func (r *reader) snapshots(ctx context.Context, ns *inventory.Namespace) error {
	ns.Snapshots = make(map[inventory.SnapshotKey]snapshots.Info)
	for _, name := range r.info.Snapshotters {
		err := r.store.Snapshotter(name).Walk(ctx, func(_ context.Context, info snapshots.Info) error {
			ns.Snapshots[inventory.SnapshotKey{Snapshotter: name, Key: info.Name}] = info
			r.progress.Add(1)
			return nil
		})
		if err != nil {
			return fmt.Errorf("snapshotter %q: %w", name, err)
		}
	}
	return nil
}

func (r *reader) leases(ctx context.Context, ns *inventory.Namespace) error {
	list, err := r.store.Leases().List(ctx)
	if err != nil {
		return err
	}
	locker := lock.Locker{Procfs: r.opts.Procfs}
	var mu sync.Mutex
	err = each(ctx, list, func(ctx context.Context, lease clientleases.Lease) error {
		resources, err := r.store.Leases().ListResources(ctx, lease)
		if errdefs.IsNotFound(err) {
			return nil // the lease ended since it was listed
		}
		if err != nil {
			return fmt.Errorf("lease %q: %w", lease.ID, err)
		}
		mu.Lock()
		defer mu.Unlock()
		ns.Leases = append(ns.Leases, inventory.Lease{Lease: lease, Resources: resources})
		if run, ok := lock.ParseRun(lease); ok && leases.KindOf(lease).Ours() && locker.Over(run, r.now) {
			ns.Interrupted = append(ns.Interrupted, lease.ID)
		}
		return nil
	})
	slices.SortFunc(ns.Leases, func(a, b inventory.Lease) int { return strings.Compare(a.ID, b.ID) })
	slices.Sort(ns.Interrupted)
	return err
}

func (r *reader) containers(ctx context.Context, inv *inventory.Inventory) error {
	return each(ctx, inv.Namespaces, func(ctx context.Context, ns *inventory.Namespace) error {
		list, err := r.store.Containers().List(store.InNamespace(ctx, ns.Name))
		if err != nil {
			return fmt.Errorf("listing the containers of namespace %q: %w", ns.Name, err)
		}
		slices.SortFunc(list, func(a, b containers.Container) int { return strings.Compare(a.ID, b.ID) })
		ns.Containers = list
		return r.newSnapshots(store.InNamespace(ctx, ns.Name), ns)
	})
}

// newSnapshots looks up the chains of containers that were made after the
// snapshots were listed.
func (r *reader) newSnapshots(ctx context.Context, ns *inventory.Namespace) error {
	for _, container := range ns.Containers {
		key := inventory.SnapshotKey{Snapshotter: container.Snapshotter, Key: container.SnapshotKey}
		for key.Key != "" && slices.Contains(r.info.Snapshotters, key.Snapshotter) {
			if _, known := ns.Snapshots[key]; known {
				break
			}
			info, err := r.store.Snapshotter(key.Snapshotter).Stat(ctx, key.Key)
			if errdefs.IsNotFound(err) {
				break // the container has lost its snapshot
			}
			if err != nil {
				return fmt.Errorf("looking up snapshot %s of container %q: %w", key, container.ID, err)
			}
			ns.Snapshots[key] = info
			key.Key = info.Parent
		}
	}
	return nil
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
