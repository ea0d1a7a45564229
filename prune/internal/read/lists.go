package read

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// listing reads a list of a namespace, task one of a certain namespace.
type (
	listing = func(context.Context, *inventory.Namespace) error
	task    = func(context.Context) error
)

// lists reads everything but the containers.
func (r *reader) lists(ctx context.Context, inv *inventory.Inventory) error {
	return r.tasks(ctx, inv, func(in func(string, listing) task) []task {
		return []task{in("content", r.content), in("images", r.images), in("leases", r.leases),
			in("uploads", r.ingests), in("sandboxes", r.sandboxes), in("snapshots", r.snapshots)}
	})
}

// tasks reads lists of all namespaces.
func (r *reader) tasks(ctx context.Context, inv *inventory.Inventory, of func(in func(string, listing) task) []task) error {
	var tasks []task
	for _, ns := range inv.Namespaces {
		tasks = append(tasks, of(func(what string, do listing) task {
			return func(ctx context.Context) error {
				if err := do(store.InNamespace(ctx, ns.Name), ns); err != nil {
					return r.unread(ctx, ns, fmt.Errorf("listing the %s of namespace %q: %w", what, ns.Name, TooLarge(err)))
				}
				return nil
			}
		})...)
	}
	err := each(ctx, tasks, func(ctx context.Context, do task) error { return do(ctx) })
	r.texts = newTexts() // what was shared is, and the table takes as much again
	return err
}

// TooLarge says what helps when containerd has more to say than it may send in
// one message, such as blobs with a hundred thousand labels.
func TooLarge(err error) error {
	if errdefs.IsResourceExhausted(err) {
		return &cause.CodeError{Code: "list-too-large", Err: fmt.Errorf("%w; if the list is too long for one message, raise max_send_message_size under [grpc] in containerd's configuration, or stop containerd and open its root", err)}
	}
	return err
}

// unread notes that a list of a namespace cannot be read of which nothing is to be
// removed, as if nothing that it has may go: the others need not stand still for
// it. It returns the error where the namespace was chosen, where it could be read
// before, so that what is missing now would seem to be gone, and where it is
// containerd that does not answer.
func (r *reader) unread(ctx context.Context, ns *inventory.Namespace, err error) error {
	if ctx.Err() != nil || errdefs.IsUnavailable(err) || r.scope.Has(ns.Name) {
		return err
	}
	if before := r.before; before != nil && (before.Namespace(ns.Name) == nil || before.Namespace(ns.Name).Unread == "") {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ns.Unread == "" {
		ns.Unread = err.Error()
		ns.Closed = cause.Because(cause.CodeUnread, cause.Parts{Namespace: ns.Name, Detail: ns.Unread})
	}
	return nil
}

func (r *reader) images(ctx context.Context, ns *inventory.Namespace) (err error) {
	ns.Images, err = store.InParts(ctx, store.ByTarget, r.store.Images().List)
	slices.SortFunc(ns.Images, func(a, b images.Image) int { return strings.Compare(a.Name, b.Name) })
	for i := range ns.Images {
		r.texts.shareImage(&ns.Images[i])
	}
	r.progress.Add(len(ns.Images))
	return err
}

func (r *reader) content(ctx context.Context, ns *inventory.Namespace) error {
	ns.Blobs = make(map[digest.Digest]inventory.Blob)
	return r.store.Content().Walk(ctx, func(info content.Info) error {
		blob := inventory.NewBlob(info)
		r.texts.share(blob.Labels)
		ns.Blobs[digest.Digest(r.texts.one(info.Digest.String()))] = blob
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
	ns.Sandboxes, err = store.InParts(ctx, store.ByID, r.store.Sandboxes().List)
	if errdefs.IsNotImplemented(err) {
		return nil // containerd before 1.7 has no sandboxes
	}
	slices.SortFunc(ns.Sandboxes, func(a, b sandbox.Sandbox) int { return strings.Compare(a.ID, b.ID) })
	return err
}

func (r *reader) snapshots(ctx context.Context, ns *inventory.Namespace) error {
	ns.Snapshots = make(map[inventory.SnapshotKey]inventory.Snapshot)
	for _, name := range r.info.Snapshotters {
		err := r.plugins.walk(ctx, name, func(info snapshots.Info) {
			r.addSnapshot(ns, name, info)
			r.progress.Add(1)
		})
		if isSilence(err) {
			ns.Silence(name, err.Error())
			continue
		}
		if err != nil {
			return fmt.Errorf("snapshotter %q: %w", name, err)
		}
	}
	return nil
}

func (r *reader) addSnapshot(ns *inventory.Namespace, snapshotter string, info snapshots.Info) {
	snapshot := inventory.NewSnapshot(info)
	snapshot.Parent = r.texts.one(snapshot.Parent)
	r.texts.share(snapshot.Labels)
	ns.Snapshots[inventory.SnapshotKey{Snapshotter: snapshotter, Key: r.texts.one(info.Name)}] = snapshot
}

func (r *reader) leases(ctx context.Context, ns *inventory.Namespace) error {
	list, err := store.InParts(ctx, store.ByID, r.store.Leases().List)
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
		ns.Leases = append(ns.Leases, inventory.Lease{Lease: lease, Resources: r.texts.shareResources(resources)})
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
		list, err := store.InParts(store.InNamespace(ctx, ns.Name), store.ByID, r.store.Containers().List)
		if err != nil {
			return r.unread(ctx, ns, fmt.Errorf("listing the containers of namespace %q: %w", ns.Name, TooLarge(err)))
		}
		slices.SortFunc(list, func(a, b containers.Container) int { return strings.Compare(a.ID, b.ID) })
		for i := range list {
			inventory.Trim(&list[i])
		}
		ns.Containers = list
		return r.newSnapshots(store.InNamespace(ctx, ns.Name), ns)
	})
}

// newSnapshots looks up the chains of containers that were made after the
// snapshots were listed.
func (r *reader) newSnapshots(ctx context.Context, ns *inventory.Namespace) error {
	for _, container := range ns.Containers {
		key := inventory.SnapshotKey{Snapshotter: container.Snapshotter, Key: container.SnapshotKey}
		for key.Key != "" && slices.Contains(r.info.Snapshotters, key.Snapshotter) && !ns.IsSilent(key.Snapshotter) {
			if _, known := ns.Snapshots[key]; known {
				break
			}
			info, err := r.plugins.stat(ctx, key)
			if isSilence(err) {
				ns.Silence(key.Snapshotter, err.Error())
				break
			}
			if errdefs.IsNotFound(err) {
				break // the container has lost its snapshot
			}
			if err != nil {
				return fmt.Errorf("looking up snapshot %s of container %q: %w", key, container.ID, err)
			}
			r.addSnapshot(ns, key.Snapshotter, info)
			key.Key = info.Parent
		}
	}
	return nil
}
