// Package read takes the inventory of a store: the lists, who uses what, what the
// manifests say, and the sizes of snapshots.
package read
