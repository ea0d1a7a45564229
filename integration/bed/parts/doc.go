// Package parts makes sure that the real programs the integration tests need
// are on this machine: containerd, ctr, runc, a shim, dockerd, buildkitd, the
// image tools umoci and skopeo, a registry, a browser, what makes file systems,
// what judges metrics and units, and for make test-cluster the parts of a Kubernetes
// cluster, with kubectl, helm and what makes a network of pods.
//
// Go programs are built once, from the Go module proxy, into
// .cache/parts/<name>@<version>/ under the project's root, which git ignores.
// Some can only be built in the repository of their project, or in a module that
// says what they require: those modules are in the folder modules.
// Programs of the distribution are looked up in PATH and, as root, installed
// with apt-get. What cannot be had is an error that says what to do.
package parts
