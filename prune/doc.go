// Package prune removes unused images from a containerd store. It is the whole
// API for programs that embed it.
//
// The flow is Read, Plan, Execute, Report. [Open] connects to a running
// containerd, [OpenRoot] opens the root directory of a stopped one. [ReadPlan]
// takes an [Inventory] of the [Store], decides by a [Policy] what is removed
// and why the rest is kept, and measures the sizes that the plan shows; it
// changes nothing. [Execute] carries out exactly that plan, skipping what has
// changed in the store, and returns a [Report] of the space that was really
// freed. A dry run is the same flow without Execute. [Read] and [NewPlan] are
// the two halves of ReadPlan, for programs that make several plans from one
// reading.
//
// Uses of images that containerd does not know about come from a [Source]: the
// packages clients/docker and clients/kubelet provide two, and a program may
// implement its own. The zero Policy removes nothing.
//
// Beside that, [ReadUsage] shows who holds what, [Explain] why an object is
// kept, [Check] and [Repair] find and fix problems, [Leases] and [PruneLeases]
// deal with leases, and [Runs], [Undo] and [Drop] with runs that have a grace
// period.
//
// The package never prints, never exits and reads no clock: callers pass the
// time. Most of its types are aliases of types in prune/internal, where the
// rules are implemented; see docs/architecture.md.
//
// Stability: nothing is released yet, so names may still change; CHANGELOG.md
// lists the changes. From version 1 on, the exported names of this package, of
// filters, leases and prune/clients, the JSON documents (schemaVersion) and the
// codes in docs/json.md follow semantic versioning. Anything under internal may
// change at any time.
package prune
