// Package buildkit runs a real buildkitd for tests, with the worker of a
// private containerd.
package buildkit
