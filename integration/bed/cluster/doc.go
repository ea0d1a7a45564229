// Package cluster runs the control plane of a Kubernetes cluster for tests: an
// etcd and an API server, with the controllers and the scheduler or without. Without
// them, whoever needs a pod binds it to its node. All end with the test that started
// them.
package cluster
