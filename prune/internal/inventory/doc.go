// Package inventory is what was read of a store: namespaces, records, blobs,
// snapshots, containers, leases, and who uses what. It does no I/O, and an
// inventory never changes after it was made: what differs is a copy.
package inventory
