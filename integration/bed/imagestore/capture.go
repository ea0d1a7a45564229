package imagestore

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/pkg/identifiers"
	bolt "go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// Capture reads the state of the store, for the oracle.
func (e *Embedded) Capture(ctx context.Context) (*oracle.State, error) {
	namespaces, err := e.namespaces(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the namespaces of %s: %w", e.root, err)
	}
	return oracle.Capture(ctx, oracle.Source{
		Client:       e.client,
		Root:         e.root,
		Snapshotters: []string{e.snapshotter},
		Namespaces:   namespaces,
	})
}

// namespaces leaves out those that no client can ask for, as a damaged or forged
// database may have them.
func (e *Embedded) namespaces(ctx context.Context) (names []string, err error) {
	err = e.db.View(func(tx *bolt.Tx) error {
		names, err = metadata.NewNamespaceStore(tx).List(ctx)
		return err
	})
	names = slices.DeleteFunc(names, func(name string) bool { return identifiers.Validate(name) != nil })
	return names, err
}
