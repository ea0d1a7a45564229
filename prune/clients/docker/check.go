package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// imageStore is what an Engine reports as its driver type if it keeps its
// images in containerd (moby: daemon/containerd,
// ImageService.LayerStoreStatus).
const imageStore = "io.containerd.snapshotter.v1"

// same returns an error unless the Engine keeps its images in this store.
func (s *Source) same(ctx context.Context, info system.Info) error {
	if info.Containerd == nil || info.Containerd.Address == "" {
		return errors.New("it does not say which containerd it uses: this needs Docker 27 or later")
	}
	if !slices.Contains(info.DriverStatus, [2]string{"driver-type", imageStore}) {
		return fmt.Errorf("it does not use containerd's image store but the driver %q, so its images are not in containerd: use `docker image prune`", info.Driver)
	}
	store, err := s.store.Info(ctx)
	if err != nil {
		return fmt.Errorf("identifying the store: %w", err)
	}
	theirs := strings.TrimPrefix(info.Containerd.Address, "unix://")
	if !sameSocket(theirs, strings.TrimPrefix(store.Location, "unix://")) {
		return fmt.Errorf("it uses another containerd, at %s, not the one at %s", theirs, store.Location)
	}
	return nil
}

// sameSocket compares the sockets themselves and not their paths, because with
// /var/run and bind mounts one socket has several paths.
func sameSocket(a, b string) bool {
	fa, err := os.Stat(a)
	if err != nil {
		return false
	}
	fb, err := os.Stat(b)
	return err == nil && os.SameFile(fa, fb)
}

// isID reports whether a text has the form of a container ID.
func isID(id string) bool {
	return len(id) == 64 && strings.Trim(id, "0123456789abcdef") == ""
}

// wellFormed returns an error if an entry of the list cannot be a container.
func wellFormed(list []container.Summary) error {
	seen := make(map[string]bool, len(list))
	for _, c := range list {
		switch {
		case !isID(c.ID):
			return fmt.Errorf("it lists a container with the invalid ID %.80q", c.ID)
		case seen[c.ID]:
			return fmt.Errorf("it lists container %s twice", short(c.ID))
		case container.ValidateContainerState(c.State) != nil:
			return fmt.Errorf("it lists container %s in the unknown state %.40q", short(c.ID), c.State)
		case c.ImageID == "" && c.Image == "":
			// created without an image
		case digest.Digest(c.ImageID).Validate() != nil:
			return fmt.Errorf("it lists container %s with the invalid image ID %.80q", short(c.ID), c.ImageID)
		}
		seen[c.ID] = true
	}
	return nil
}

// crossCheck compares the Engine's list with what the store has of Docker's
// containers, and returns the list with those added that were created since.
func (s *Source) crossCheck(ctx context.Context, e *engine, ns *prune.Namespace, list []container.Summary) ([]container.Summary, error) {
	known := ns.DockerContainers()
	listed := make(map[string]bool, len(list))
	strange := true
	for _, c := range list {
		listed[c.ID] = true
		if _, ok := known[c.ID]; ok {
			strange = false
		}
	}
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(id string) bool { return listed[id] })
	added := make([][]container.Summary, len(missing))
	err := each(ctx, len(missing), func(ctx context.Context, i int) (err error) {
		added[i], err = s.unlisted(ctx, e, ns.Name, missing[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	list = slices.Concat(list, slices.Concat(added...))
	if !strange {
		return list, nil
	}
	return s.unheld(ctx, e, ns.Name, list)
}

// unheld decides about a list of containers none of which is in the store: they
// belong to another Engine, or all of them were created since the store was
// read, or are being removed. The Engine releases the layers and the lease of a
// container before it stops listing it, and gets no further if containerd fails
// then. unheld returns what is left of the list.
func (s *Source) unheld(ctx context.Context, e *engine, namespace string, list []container.Summary) ([]container.Summary, error) {
	over := time.NewTimer(s.patience)
	defer over.Stop()
	for {
		left, strange, err := s.left(ctx, e, namespace, list)
		if errors.Is(err, errHeld) {
			return list, nil
		}
		if list = left; err != nil || !strange {
			return list, err
		}
		if more, err := again(ctx, over); !more {
			return nil, cmp.Or(err, fmt.Errorf("none of the %d containers that it lists is in this store: it is another Engine", len(list)))
		}
	}
}

// errHeld says that one container of a list is in the store.
var errHeld = errors.New("it is in the store")

// left returns what the Engine still knows of a list of containers, and whether
// there is one among them that is not being removed. The error is errHeld if one
// is in the store.
func (s *Source) left(ctx context.Context, e *engine, namespace string, list []container.Summary) (left []container.Summary, strange bool, err error) {
	states := make([]*container.State, len(list))
	err = each(ctx, len(list), func(ctx context.Context, i int) error {
		if there, err := s.holds(ctx, namespace, list[i].ID); there || err != nil {
			return cmp.Or(err, errHeld)
		}
		found, err := e.api.ContainerInspect(ctx, list[i].ID, client.ContainerInspectOptions{})
		switch {
		case errdefs.IsNotFound(err):
			return nil
		case err != nil:
			return e.sentence(err)
		}
		states[i] = cmp.Or(found.Container.State, &container.State{})
		return nil
	})
	for i, state := range states {
		if state != nil {
			left, strange = append(left, list[i]), strange || !halfRemoved(state)
		}
	}
	return left, strange, err
}

// halfRemoved reports whether a container is being removed, but is still
// listed.
func halfRemoved(state *container.State) bool {
	return state != nil && (state.Status == container.StateDead || state.Status == container.StateRemoving)
}

// again pauses and reports whether there is time left to ask again.
func again(ctx context.Context, over *time.Timer) (bool, error) {
	select {
	case <-time.After(pause):
		return true, nil
	case <-over.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// unlisted decides about a container that the store has and the Engine did not
// list: it was created or removed since, or the list cannot be trusted. The
// Engine creates the lease and the layers of a container before it lists it, so
// it is asked again for a while.
func (s *Source) unlisted(ctx context.Context, e *engine, namespace, id string) ([]container.Summary, error) {
	over := time.NewTimer(s.patience)
	defer over.Stop()
	for {
		found, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		if err == nil {
			added := []container.Summary{summary(found.Container)}
			return added, wellFormed(added)
		}
		if !errdefs.IsNotFound(err) {
			return nil, e.sentence(err)
		}
		there, err := s.holds(ctx, namespace, id)
		if err != nil || !there {
			return nil, err
		}
		if more, err := again(ctx, over); !more {
			return nil, cmp.Or(err, fmt.Errorf("it does not know container %s, whose files this store holds for Docker; if Docker has lost the container, remove its lease: `ctr -n %s leases rm %s`", short(id), namespace, id))
		}
	}
}

// holds asks the store itself whether it has a container of Docker's.
func (s *Source) holds(ctx context.Context, namespace, id string) (bool, error) {
	ctx = namespaces.WithNamespace(ctx, namespace)
	found, err := s.store.Leases().List(ctx, "id=="+id)
	if err != nil {
		return false, fmt.Errorf("looking for the lease of container %s: %w", short(id), err)
	}
	if len(found) > 0 {
		return true, nil
	}
	_, err = s.store.Containers().Get(ctx, id)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for container %s: %w", short(id), err)
	}
	return true, nil
}
