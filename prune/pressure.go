package prune

import (
	"context"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/relieve"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
)

// Pressure is what has to be freed. As a field of a [Policy] it narrows a plan down:
// of what may go, no more goes than that needs. [Plan] then has a Relief. [Disks]
// makes one, or a program that knows better what it needs.
type Pressure = filesystem.Pressure

// FileSystem is one that a store is on: how full it is, and what has to be freed
// there.
type FileSystem = filesystem.FileSystem

// DiskMarks say when the disks of a store are full: the section disk of a policy
// file.
type DiskMarks = retention.Disk

// Disks looks at the file systems that a store is on, without reading the store, and
// says what has to be freed by the marks. [Pressure.Full] says whether a disk is too
// full, [Pressure.Asks] whether a plan may remove something: whether containerd
// uses too much, or has too many images, only a plan finds out. File systems that
// cannot be seen from here are among those returned, and say why.
func Disks(ctx context.Context, store Store, marks DiskMarks) (*Pressure, error) {
	all, err := filesystem.Looker{}.Look(ctx, store)
	if err != nil {
		return nil, err
	}
	return filesystem.Measure(all, marks), nil
}

// Relieve executes a plan whose policy has a [Pressure], looks at the disks for ten
// seconds then, because they may give back late, and plans and executes anew if they
// have not given back what was to be freed, three rounds at most. Graces of earlier
// runs that the plan ends are ended first. What is still missing is no error: the
// result says so.
func Relieve(ctx context.Context, store Store, p *Plan, opts ExecuteOptions) (*Relieved, error) {
	return relieve.Relieve(ctx, store, p, opts)
}

// Relieved is what came of [Relieve].
type Relieved = relieve.Relieved

// Relief is what a plan frees of what has to be freed.
type Relief = plan.Relief
