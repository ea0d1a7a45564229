package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Source reports which images one client uses.
type Source interface {
	// Uses returns what the client uses in the namespace. Covered is false if the
	// client does not use the namespace. After an error nothing is removed from
	// the namespace.
	Uses(ctx context.Context, asked Asked) (uses []inventory.Use, covered bool, err error)
}

// Asked is the namespace that a [Source] is asked about, with the lists that
// have been read from it.
type Asked struct {
	*inventory.Namespace
	Pods PodReader
}

// Asking is what is needed to find out who uses the images of a store. Without
// a store, containerd counts as stopped.
type Asking struct {
	Store   store.Store
	Info    store.StoreInfo
	Sources []Source
	Procfs  proc.Procfs
	Now     time.Time
	// Again says that the store was read before: what is not there any more may
	// have been removed by a run, and be needed.
	Again bool
}

// Learn adds who uses what to an inventory whose lists have been read, from the
// container records and from the sources. If something cannot be found out,
// nothing is removed from its namespace; others are not affected.
func (r Asking) Learn(ctx context.Context, inv *inventory.Inventory) error {
	for _, ns := range inv.Namespaces {
		AddVolumes(ns)
		err := errors.Join(silent(ns), AddContainers(ns), r.askSources(ctx, ns), r.pinnedByCRI(ctx, ns))
		// These two use what the others have found.
		addRooted(ns, r.Now)
		err = errors.Join(err, unloaded(ns, r.Info.Snapshotters, r.Now))
		if ctx.Err() != nil {
			return fmt.Errorf("asking what uses the images of namespace %q: %w", ns.Name, ctx.Err())
		}
		if err != nil {
			ns.Closed = cause.ClientFailed(err)
		}
	}
	return nil
}

// AddContainers adds what the container records of a namespace say that they
// use. A record that cannot be read is an error, and nothing is removed from
// the namespace.
func AddContainers(ns *inventory.Namespace) error {
	var errs []error
	for _, container := range ns.Containers {
		use, err := inventory.ContainerUse(container)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		mounts, err := NerdctlUses(container)
		if err != nil {
			errs = append(errs, err)
		}
		ns.Uses = append(append(ns.Uses, use), mounts...)
	}
	return errors.Join(errs...)
}

func (r Asking) askSources(ctx context.Context, ns *inventory.Namespace) error {
	if ns.Docker() && !r.Again && nothingToDecide(ns) {
		if len(ns.Containers)+len(ns.Leases) > 0 {
			ns.Notes = append(ns.Notes, cause.Because(cause.CodeDockerNoImages, cause.Parts{Namespace: ns.Name}))
		}
		return nil
	}
	docker := false
	for _, source := range r.Sources {
		uses, covered, err := source.Uses(ctx, Asked{ns, PodReader{r.Store, r.Procfs}})
		if err != nil {
			return err
		}
		if covered {
			introduce(ns, uses)
		}
		ns.Uses = append(ns.Uses, uses...)
		docker = docker || covered
	}
	if ns.Docker() && !docker {
		return r.withoutDocker()
	}
	return nil
}

// nothingToDecide says whether nothing could be removed from a namespace of
// Docker's, as from one of an Engine that keeps its images elsewhere: then it
// makes no difference what the Engine says. A run that was killed may have
// removed all images there, and one of them may be needed.
func nothingToDecide(ns *inventory.Namespace) bool {
	return ns.Name != store.CRINamespace && len(ns.Images)+len(ns.Ingests)+len(ns.Interrupted) == 0 &&
		!slices.ContainsFunc(ns.Leases, func(l inventory.Lease) bool { return leases.KindOf(l.Lease).Ours() })
}

// withoutDocker says why nothing is removed from a namespace of Docker's if no
// Engine has reported on it.
func (r Asking) withoutDocker() error {
	if r.Info.Kind == store.StoreRoot {
		return &cause.CodeError{Code: cause.CodeDockerOffline, Err: errors.New("containerd does not know Docker's stopped containers, and Docker can be asked only while its containerd runs")}
	}
	return &cause.CodeError{Code: cause.CodeDockerNotAsked, Err: errors.New("containerd does not know Docker's stopped containers, and Docker was not asked for them")}
}

// introduce gives a container record that a source reported by its ID the
// holder from that source, because the client has better names for its
// containers.
func introduce(ns *inventory.Namespace, uses []inventory.Use) {
	told := make(map[string]cause.Holder, len(uses))
	for _, use := range uses {
		if _, known := told[use.Holder.ID]; !known {
			told[use.Holder.ID] = use.Holder
		}
	}
	for i, use := range ns.Uses {
		if holder, ok := told[use.Holder.ID]; ok {
			ns.Uses[i].Holder = holder
		}
	}
}
