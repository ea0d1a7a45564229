package oracle

import (
	"context"
	"fmt"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// Source is a store to look at.
type Source struct {
	Client *containerd.Client
	// Root is the daemon's root folder.
	Root string
	// Snapshotters are those to list.
	Snapshotters []string
	// Namespaces are those to look at, where the client cannot list all.
	Namespaces []string
}

// Capture reads the state of a store. Nobody should change it meanwhile.
func Capture(ctx context.Context, src Source) (*State, error) {
	s := &State{
		At:         time.Now(),
		Namespaces: map[string]*Namespace{},
		Documents:  map[digest.Digest]Document{},
	}
	names := src.Namespaces
	if names == nil {
		v, err := src.Client.Version(ctx)
		if err != nil {
			return nil, fmt.Errorf("asking for the version: %w", err)
		}
		s.Version = v.Version
		if names, err = src.Client.NamespaceService().List(ctx); err != nil {
			return nil, fmt.Errorf("listing namespaces: %w", err)
		}
	}
	for _, name := range names {
		ns, err := captureNamespace(namespaces.WithNamespace(ctx, name), src)
		if err != nil {
			return nil, fmt.Errorf("reading namespace %q: %w", name, err)
		}
		s.Namespaces[name] = ns
	}
	files, err := blobFiles(src.Root)
	if err != nil {
		return nil, err
	}
	s.Files = files
	for _, ns := range s.Namespaces {
		s.readDocuments(ns, src.Root)
	}
	return s, nil
}

func captureNamespace(ctx context.Context, src Source) (*Namespace, error) {
	ns := &Namespace{}
	for _, read := range []func(context.Context, Source) error{
		ns.readImages, ns.readContainers, ns.readLeases, ns.readContent, ns.readSnapshots, ns.readSandboxes,
	} {
		if err := read(ctx, src); err != nil {
			return nil, err
		}
	}
	return ns, nil
}

func (n *Namespace) readImages(ctx context.Context, src Source) error {
	list, err := src.Client.ImageService().List(ctx)
	n.Images = byKey(list, func(i images.Image) string { return i.Name })
	return err
}

func (n *Namespace) readContent(ctx context.Context, src Source) error {
	cs := src.Client.ContentStore()
	n.Content = map[digest.Digest]content.Info{}
	err := cs.Walk(ctx, func(info content.Info) error {
		n.Content[info.Digest] = info
		return nil
	})
	if err != nil {
		return err
	}
	list, err := cs.ListStatuses(ctx)
	n.Ingests = byKey(list, func(s content.Status) string { return s.Ref })
	return err
}

func (n *Namespace) readLeases(ctx context.Context, src Source) error {
	lm := src.Client.LeasesService()
	list, err := lm.List(ctx)
	if err != nil {
		return err
	}
	n.Leases = map[string]Lease{}
	for _, l := range list {
		held, err := lm.ListResources(ctx, l)
		if err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		n.Leases[l.ID] = Lease{Lease: l, Resources: held, Expired: expired(l.Labels, time.Now())}
	}
	return nil
}

// expired applies the label that ends the life of a lease or an image. What
// does not parse does not count.
func expired(labels map[string]string, now time.Time) bool {
	t, err := time.Parse(time.RFC3339, labels["containerd.io/gc.expire"])
	return err == nil && now.After(t)
}

func byKey[K comparable, V any](list []V, key func(V) K) map[K]V {
	out := make(map[K]V, len(list))
	for _, v := range list {
		out[key(v)] = v
	}
	return out
}
