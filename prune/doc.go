// Package prune removes the images that nobody uses from a containerd store.
//
// The flow is Read, Plan, Execute, Report: [Read] takes an [Inventory] of a
// [Store], [Inventory.Plan] decides what goes and why the rest stays without
// touching anything, and [Plan.Execute] does exactly that plan, or less of it
// when the store has changed, and measures what the disk gave back. A dry run
// is the flow stopped after Plan.
//
// The package never prints, reads no clock of its own and does not exit.
package prune
