package imagestore

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/metadata"
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

func (e *Embedded) namespaces(ctx context.Context) (names []string, err error) {
	err = e.db.View(func(tx *bolt.Tx) error {
		names, err = metadata.NewNamespaceStore(tx).List(ctx)
		return err
	})
	return names, err
}
