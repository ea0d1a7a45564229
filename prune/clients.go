package prune

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
)

// Source tells the claims of one client on images.
type Source interface {
	// Uses returns what the client uses in the namespace. Covered is false
	// when the namespace is none of the client's. An error closes the
	// namespace: nothing is removed there.
	Uses(ctx context.Context, asked Asked) (uses []Use, covered bool, err error)
}

// Asked is what a [Source] is asked about: a namespace whose lists have been
// read.
type Asked struct {
	*Namespace
	sandboxes podReader
}

// asking is what it takes to learn who uses the images of a store. Without a
// store, containerd counts as stopped.
type asking struct {
	store   Store
	info    StoreInfo
	sources []Source
	procfs  leases.Procfs
	now     time.Time
}

// learn adds who uses what to an inventory whose lists have been read, from the
// container records and from the sources. What cannot be learned closes its
// namespace and no other.
func (r asking) learn(ctx context.Context, inv *Inventory) error {
	for _, ns := range inv.Namespaces {
		ns.addVolumes()
		ns.addLeasedBeginnings(r.now)
		// The last looks at what the others have found.
		err := errors.Join(ns.addContainers(), r.askSources(ctx, ns), r.pinnedByCRI(ctx, ns), ns.unloaded(r.info.Snapshotters, r.now))
		if ctx.Err() != nil {
			return fmt.Errorf("asking what namespace %q is used by: %w", ns.Name, ctx.Err())
		}
		if err != nil {
			ns.Closed = clientFailed(err)
		}
	}
	return nil
}

func (ns *Namespace) addContainers() error {
	var errs []error
	for _, container := range ns.Containers {
		use, err := containerUse(container)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		mounts, err := nerdctlUses(container)
		if err != nil {
			errs = append(errs, err)
		}
		ns.Uses = append(append(ns.Uses, use), mounts...)
	}
	return errors.Join(errs...)
}

func (r asking) askSources(ctx context.Context, ns *Namespace) error {
	docker := false
	for _, source := range r.sources {
		uses, covered, err := source.Uses(ctx, Asked{ns, podReader{r.store, r.procfs}})
		if err != nil {
			return err
		}
		if covered {
			ns.introduce(uses)
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
func (r asking) withoutDocker() error {
	if r.info.Kind == StoreRoot {
		return &CodeError{Code: codeDockerOffline, Err: errors.New("containerd does not know Docker's stopped containers, and Docker can be asked only while its containerd runs")}
	}
	return &CodeError{Code: codeDockerNotAsked, Err: errors.New("containerd does not know Docker's stopped containers, and Docker was not asked for them")}
}

// introduce gives the container records that a source told of by their ID the
// holder that it told: the client knows its containers by better names.
func (ns *Namespace) introduce(uses []Use) {
	told := make(map[string]Holder, len(uses))
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
