package root

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/containerd/containerd/v2/core/snapshots/storage"
)

// rootCleaners is how many directories are removed at the same time.
const rootCleaners = 4

// clean removes the directories of which the database has no record. Nobody makes
// a snapshot meanwhile: the lock on the metadata keeps a containerd out.
func (r *rootRemover) clean(ctx context.Context) error {
	unknown, err := r.unknown(ctx)
	if err != nil {
		return err
	}
	queue := make(chan string)
	errs := make([]error, rootCleaners)
	var wg sync.WaitGroup
	for i := range min(rootCleaners, len(unknown)) {
		wg.Go(func() {
			for name := range queue {
				errs[i] = errors.Join(errs[i], os.RemoveAll(filepath.Join(r.dir, name)))
			}
		})
	}
	for _, name := range unknown {
		queue <- name
	}
	close(queue)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove directories of snapshots: %w", err)
	}
	return nil
}

// unknown are the directories without a record. They are listed in a transaction
// in which only snapshots could be made, so that none is made in between.
func (r *rootRemover) unknown(ctx context.Context) (unknown []string, err error) {
	ctx, tx, err := r.ms.TransactionContext(ctx, true)
	if err != nil {
		return nil, fmt.Errorf("look for directories without a snapshot: %w", err)
	}
	known, err := storage.IDMap(ctx)
	names, listErr := rootNames(r.dir)
	if err := errors.Join(err, listErr, tx.Rollback()); err != nil {
		return nil, fmt.Errorf("look for directories without a snapshot: %w", err)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		_, isKnown := known[name]
		return isKnown
	}), nil
}

func rootNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}
