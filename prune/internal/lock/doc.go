// Package lock protects a prune while it runs, and what it removed during its
// grace period.
//
// A run takes one lease with a fixed ID in each namespace that it changes. The
// lease is the lock between runs, the holder of everything the run is about to
// remove, and, after a crash, the note from which the next run finishes the work.
//
// It knows containerd's lease and content interfaces, and nothing of images.
package lock
