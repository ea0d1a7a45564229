package clients

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Source tells the claims of one client on images.
type Source interface {
	// Uses returns what the client uses in the namespace. Covered is false
	// when the namespace is none of the client's. An error closes the
	// namespace: nothing is removed there.
	Uses(ctx context.Context, asked Asked) (uses []inventory.Use, covered bool, err error)
}

// Asked is what a [Source] is asked about: a namespace whose lists have been
// read.
type Asked struct {
	*inventory.Namespace
	Pods PodReader
}

// Asking is what it takes to learn who uses the images of a store. Without a
// store, containerd counts as stopped.
type Asking struct {
	Store   store.Store
	Info    store.StoreInfo
	Sources []Source
	Procfs  proc.Procfs
	Now     time.Time
}

// Learn adds who uses what to an inventory whose lists have been read, from the
// container records and from the sources. What cannot be learned closes its
// namespace and no other.
func (r Asking) Learn(ctx context.Context, inv *inventory.Inventory) error {
	for _, ns := range inv.Namespaces {
		AddVolumes(ns)
		addLeasedBeginnings(ns, r.Now)
		// The last looks at what the others have found.
		err := errors.Join(AddContainers(ns), r.askSources(ctx, ns), r.pinnedByCRI(ctx, ns), unloaded(ns, r.Info.Snapshotters, r.Now))
		if ctx.Err() != nil {
			return fmt.Errorf("asking what uses the images of namespace %q: %w", ns.Name, ctx.Err())
		}
		if err != nil {
			ns.Closed = cause.ClientFailed(err)
		}
	}
	return nil
}

// AddContainers adds what the container records of a namespace say that they use. A
// record that cannot be read is an error, for which the namespace is left alone.
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

// withoutDocker says why a namespace of Docker's is closed when no Engine has
// told of it.
func (r Asking) withoutDocker() error {
	if r.Info.Kind == store.StoreRoot {
		return &cause.CodeError{Code: cause.CodeDockerOffline, Err: errors.New("containerd does not know Docker's stopped containers, and Docker can be asked only while its containerd runs")}
	}
	return &cause.CodeError{Code: cause.CodeDockerNotAsked, Err: errors.New("containerd does not know Docker's stopped containers, and Docker was not asked for them")}
}

// introduce gives the container records that a source told of by their ID the
// holder that it told: the client knows its containers by better names.
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
