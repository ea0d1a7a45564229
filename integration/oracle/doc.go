// Package oracle says whether a prune did harm, knowing nothing of how
// pruning works: it compares two states of a store, read through containerd's
// API and from the file system, by rules of its own.
//
// A test captures the state before, prunes, captures again, and asks [Check].
// The functions return nil or one error that joins all findings.
package oracle
