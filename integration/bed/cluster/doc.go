// Package cluster runs the control plane of a Kubernetes cluster for tests: an
// etcd and an API server, without any controllers. Whoever needs a pod binds it
// to its node. Both end with the test that started them.
package cluster
