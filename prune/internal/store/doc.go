// Package store says what a containerd is to this module: the services that are
// used of it, what not every store can do, how a store is opened or refused, and
// the files of its blobs. Package daemon opens one over its socket, package root
// the directory of one that does not run.
package store
