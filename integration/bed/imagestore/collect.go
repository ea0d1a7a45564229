package imagestore

import (
	"context"
	"fmt"
)

// Collect makes a daemon collect garbage now and waits for the end. It does
// so by a lease that it deletes synchronously.
func (s Store) Collect(ctx context.Context) error {
	const id = "collect-now"
	if err := s.Lease(ctx, LeaseSpec{ID: id}); err != nil {
		return fmt.Errorf("collecting: %w", err)
	}
	return s.DropLease(ctx, id, true)
}
