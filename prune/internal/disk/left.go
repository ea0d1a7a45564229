package disk

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

const (
	// leftLooks is at how many looks in a row nothing may have changed before files count
	// as left: on a disk that is busy a single removal can take longer than one.
	leftLooks = 4
	// leftTries bounds how often files are looked at that are being removed.
	leftTries = 60
)

// Left returns what is still on the disk of snapshots that containerd has
// removed, because their files could not be. It removes a snapshot's record
// first, and then, without a lock, the files of all that have none. So what a collection
// by others is just removing is waited for as long as anything of that changes.
func (t *Trace) Left(ctx context.Context, removed []inventory.SnapshotID) (map[inventory.SnapshotID]Entry, error) {
	left, err := t.leftNow(ctx, removed)
	var before map[string]int64
	for looks, try := 0, 1; err == nil && len(left) > 0 && looks < leftLooks && try < leftTries; try++ {
		var now map[string]int64
		if now, err = t.unrecorded(ctx, left); err != nil {
			return nil, err
		}
		if looks++; !maps.Equal(before, now) {
			looks = 1
		}
		before = now
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(restPeriod):
		}
		left, err = t.leftNow(ctx, slices.Collect(maps.Keys(left)))
	}
	return left, err
}

// unrecorded weighs the entries without a record of the snapshotters that have left
// something, in bytes, but for those that are being made.
func (t *Trace) unrecorded(ctx context.Context, left map[inventory.SnapshotID]Entry) (map[string]int64, error) {
	found := make(map[string]int64)
	seen := make(map[string]bool)
	for id := range left {
		if seen[id.Snapshotter] {
			continue
		}
		seen[id.Snapshotter] = true
		now := *t.snapshots[id.Snapshotter]
		if err := now.read(ctx); err != nil {
			return nil, unseen(id.Snapshotter, err)
		}
		for name, path := range now.entries {
			if _, recorded := now.records[name]; recorded || strings.HasPrefix(name, temporary) {
				continue
			}
			bytes, err := Weigh(ctx, path)
			if err != nil {
				return nil, fmt.Errorf("measuring the files of removed snapshots: %w", err)
			}
			found[path] = bytes
		}
	}
	return found, nil
}

func (t *Trace) leftNow(ctx context.Context, removed []inventory.SnapshotID) (map[inventory.SnapshotID]Entry, error) {
	entries := make(map[string]map[string]string, len(t.snapshots))
	for name, s := range t.snapshots {
		var err error
		if entries[name], err = s.layout.entries(s.Dir); err != nil {
			return nil, fmt.Errorf("looking for the files of removed snapshots: %w", err)
		}
	}
	left := make(map[inventory.SnapshotID]Entry)
	for _, id := range removed {
		name := filepath.Base(t.paths[id])
		for _, name := range []string{name, removing + name} {
			path, there := entries[id.Snapshotter][name]
			if !there {
				continue
			}
			bytes, err := Weigh(ctx, path)
			if err != nil {
				return nil, fmt.Errorf("looking for the files of snapshot %s in namespace %q: %w", id.SnapshotKey, id.Namespace, err)
			}
			if bytes > 0 {
				left[id] = Entry{Path: path, Bytes: bytes}
			}
		}
	}
	return left, nil
}
