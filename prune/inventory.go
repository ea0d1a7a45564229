package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
)

// Read takes the inventory of a store: each list once, containers last, so
// that a container which appears meanwhile is seen rather than missed. Sizes of
// snapshots are not read. Any error means that the inventory is not to be
// trusted, and none is returned.
func Read(ctx context.Context, store Store, scope Scope, now time.Time, opts ReadOptions) (*Inventory, error) {
	return read.Read(ctx, store, scope, now, opts)
}

// Scope says of which namespaces the manifests are read.
type Scope = inventory.Scope

// ReadOptions are the parts of a read that a policy does not decide.
type ReadOptions = read.ReadOptions

// Procfs is where procfs is mounted. The zero value is /proc. A process that does
// not see the processes of its machine there cannot tell which runs were killed.
type Procfs = proc.Procfs

// Progress says how far a stage has come.
type Progress = read.Progress

// Stage is a part of the flow that may take long.
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

// Lease is a lease with what it holds directly.
type Lease = inventory.Lease

// Config is what is known of the configs of one target.
type Config = inventory.Config

// SnapshotKey names a snapshot within a namespace.
type SnapshotKey = inventory.SnapshotKey

// SnapshotID names a snapshot within a store.
type SnapshotID = inventory.SnapshotID

// Sizes are the allocated bytes of snapshots alone, without their parents, as
// their snapshotters report them. A snapshot that was not measured has none.
type Sizes = inventory.Sizes

// Record names an image record.
type Record = inventory.Record

// Amount is what objects take on disk. Sums saturate at the largest int64.
type Amount = inventory.Amount
