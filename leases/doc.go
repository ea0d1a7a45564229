// Package leases interprets the leases of a containerd store: which kind of
// client created one, until when garbage collection honours it, and whether it
// also holds what its resources refer to. It also defines the leases that
// ctr-prune itself creates: during a run, and for the grace period in which the
// run can be undone.
//
// Its functions look only at their arguments; they never access a store.
package leases
