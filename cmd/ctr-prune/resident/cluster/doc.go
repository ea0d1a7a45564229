// Package cluster is what a resident has to do with the cluster of its node: it tells
// the API server of events, and asks the kubelet from when on that collects images and
// evicts pods. It asks for so little that it speaks HTTP itself.
package cluster
