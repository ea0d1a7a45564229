// Package graph is a graph of the objects of a store: nodes with numbers, what
// is reached from roots, who alone owns what, and bounded walks. It knows no
// rule of containerd.
package graph
