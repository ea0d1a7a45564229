// Package disk is the other account of a store: what lies in the directories of
// its snapshotters and in its content store, beside what containerd knows. It
// only reads, and what others write meanwhile is looked at a second time before
// it is called unknown.
package disk
