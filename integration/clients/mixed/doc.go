// Package mixed tests a node that all clients share: one containerd with
// Kubernetes' pods, a Docker Engine, a buildkitd, nerdctl's containers,
// and a namespace of nobody in particular. The program that users run prunes
// it in one go.
package mixed
