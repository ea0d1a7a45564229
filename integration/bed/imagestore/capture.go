package imagestore

import (
	"context"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// Capture reads the state of the given namespaces of the store, for the
// oracle.
func (e *Embedded) Capture(ctx context.Context, namespaces ...string) (*oracle.State, error) {
	return oracle.Capture(ctx, oracle.Source{
		Client:       e.client,
		Root:         e.root,
		Snapshotters: []string{e.snapshotter},
		Namespaces:   namespaces,
	})
}
