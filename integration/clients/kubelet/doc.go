// Package kubelet runs a real kubelet for tests, on a private containerd with
// CRI and runc: by itself with static pods, registered with an API server, or as
// the node of a whole cluster.
//
// In a whole cluster everything is where it is by default, and pods have a network of their
// own. Otherwise they share the network and the IPC namespace of the machine. In all of them the
// API server is found as in any cluster.
//
// Its tests are built with the tag cluster only, because the programs of Kubernetes
// take long to build: make test-cluster builds them and runs these. They need a machine of
// their own, see the package apart.
package kubelet
