// Package kubelet runs a real kubelet for tests, on a private containerd with
// CRI and runc: by itself with static pods, or registered with an API server.
//
// Its tests are built with the tag cluster only, because the kubelet and the
// API server take long to build: make test-cluster builds them and runs these.
package kubelet
