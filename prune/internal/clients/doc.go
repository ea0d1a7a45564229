// Package clients learns who uses the images of a store: from container records,
// from the traces that nerdctl, CRI and containers being created leave, and from
// sources, which ask clients that containerd knows nothing of. What cannot be
// learned closes its namespace.
package clients
