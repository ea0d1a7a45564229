// Package leases tells what the leases of a containerd store mean: which kind of
// client has made one, and for how long and how deep the garbage collector
// honours it. It also names the leases that ctr-prune itself makes: while a run
// lasts, and for the grace in which it can be undone.
//
// It reads what is handed to it, and asks no store.
package leases
