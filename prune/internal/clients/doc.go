// Package clients finds out who uses the images of a store: from container
// records, from the traces of nerdctl, CRI and containers being created, and
// from sources, which ask clients whose uses containerd does not know about. If
// something cannot be found out, nothing is removed from its namespace.
package clients
