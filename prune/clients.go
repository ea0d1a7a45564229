package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/leases"
)

type leaseRecord = leases.Lease

// clients learns who uses what, from the container records and from the
// sources. What cannot be learned closes its namespace and no other.
func (r *reader) clients(ctx context.Context, inv *Inventory) error {
	for _, ns := range inv.Namespaces {
		ns.addVolumes()
		err := errors.Join(ns.addContainers(), r.askSources(ctx, ns))
		if ctx.Err() != nil {
			return fmt.Errorf("asking what namespace %q is used by: %w", ns.Name, ctx.Err())
		}
		if err != nil {
			ns.Closed = err.Error()
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
		ns.Uses = append(ns.Uses, use)
	}
	return errors.Join(errs...)
}

func (r *reader) askSources(ctx context.Context, ns *Namespace) error {
	docker := false
	for _, source := range r.opts.Sources {
		uses, covered, err := source.Uses(ctx, ns)
		if err != nil {
			return err
		}
		if covered {
			ns.supersede(uses)
		}
		ns.Uses = append(ns.Uses, uses...)
		docker = docker || covered
	}
	if ns.Docker() && !docker {
		return errors.New("containerd does not know Docker's stopped containers; give the Docker API with --docker-host")
	}
	return nil
}

// supersede drops what container records told of containers that their client
// has now told of itself: it knows the image, the record only the snapshot,
// which several images may share.
func (ns *Namespace) supersede(uses []Use) {
	told := make(map[string]bool, len(uses))
	for _, use := range uses {
		told[use.Holder.ID] = true
	}
	ns.Uses = slices.DeleteFunc(ns.Uses, func(use Use) bool { return told[use.Holder.ID] })
}
