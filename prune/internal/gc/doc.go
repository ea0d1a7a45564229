// Package gc is a pure model of containerd's garbage collector: the one table
// of its labels (edges.go), roots, what is reached, what a change frees, and
// who holds an object. Property tests compare it with containerd's own
// collector.
package gc
