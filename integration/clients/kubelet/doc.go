// Package kubelet runs a real kubelet for tests, on a private containerd with
// CRI and runc: by itself with static pods, or registered with an API server.
//
// Pods share the network and the IPC namespace of the machine. In them the API server is
// found as in any cluster: its service is on the loopback device.
//
// Its tests are built with the tag cluster only, because the kubelet and the
// API server take long to build: make test-cluster builds them and runs these.
package kubelet
