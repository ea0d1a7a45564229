// Package leases keeps a prune safe while it runs.
//
// A run takes one lease with a fixed ID in each namespace that it changes.
// The lease is the lock between runs, the holder of everything the run is
// about to remove, and, after a crash, the note from which the next run
// finishes the work. The package also tells what kind of client another lease
// belongs to, and removes the snapshot labels that keep the snapshots of an
// orphaned config alive.
//
// It knows containerd's lease and content interfaces and nothing else.
package leases
