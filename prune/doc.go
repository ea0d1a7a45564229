// Package prune removes the images that nobody uses from a containerd store. It
// is the whole API for programs that embed it.
//
// The flow is Read, Plan, Execute, Report. [Open] connects to a running
// containerd, [OpenRoot] opens the root directory of a stopped one. [ReadPlan]
// takes an [Inventory] of the [Store], decides by a [Policy] what goes and why
// the rest stays, and measures what the plan tells of; nothing is touched.
// [Execute] does exactly that plan, or less of it where the store has changed,
// and returns a [Report] of what the disk gave back. A dry run is the flow
// stopped after the plan. [Read] and [NewPlan] are the two halves of ReadPlan,
// for who makes several plans of one reading.
//
// Who uses images that containerd knows nothing of is told by a [Source]:
// packages clients/docker and clients/kubelet have two, and any program may
// bring its own. The zero Policy removes nothing.
//
// Other questions are answered by [ReadUsage] (who holds what), [Explain] (why is
// this here), [Check] and [Repair], [Leases] and [PruneLeases], and by [Runs],
// [Undo] and [Drop] for runs that were given a grace.
//
// The package never prints, reads no clock of its own and does not exit. Its
// types are aliases of those in prune/internal, where the rules are; see
// docs/architecture.md.
//
// Stability: nothing is released yet, so names may still change; the change log
// tells. From version 1 on, the exported names of this package, of filters,
// leases and prune/clients, the JSON documents (schemaVersion) and the codes in
// docs/json.md follow semantic versioning. What is under internal may change at
// any time.
package prune
