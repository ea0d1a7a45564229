package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
)

// Read takes the inventory of a store: each list once, containers last, so that
// a container created meanwhile is not missed. Sizes of snapshots are not read.
// After any error the inventory could be incomplete, so none is returned.
func Read(ctx context.Context, store Store, scope Scope, now time.Time, opts ReadOptions) (*Inventory, error) {
	return read.Read(ctx, store, scope, now, opts)
}

// Scope selects the namespaces whose manifests are read.
type Scope = inventory.Scope

// ReadOptions are the settings of a read that do not belong to a policy.
type ReadOptions = read.ReadOptions

// Procfs is where procfs is mounted. The zero value is /proc. A process that
// cannot see the other processes of its machine there cannot tell which runs
// were killed.
type Procfs = proc.Procfs

// Progress is how far a stage has got.
type Progress = read.Progress

// Stage is a part of the flow that may take a long time.
type Stage = read.Stage

// The stages, in order.
const (
	StageRead    = read.StageRead
	StageDelete  = read.StageDelete
	StageCollect = read.StageCollect
	StageMeasure = read.StageMeasure
	StageVerify  = read.StageVerify
)

// Inventory is what a store held when it was read. It is never changed
// afterwards.
type Inventory = inventory.Inventory

// Namespace is one containerd namespace of an [Inventory].
type Namespace = inventory.Namespace

// Blob is what is kept of a blob's record.
type Blob = inventory.Blob

// Lease is a lease and the resources that it holds directly.
type Lease = inventory.Lease

// SnapshotKey names a snapshot within a namespace.
type SnapshotKey = inventory.SnapshotKey

// Record names an image record.
type Record = inventory.Record

// Amount is a number of objects and the bytes they take on disk. Sums saturate
// at the largest int64.
type Amount = inventory.Amount
