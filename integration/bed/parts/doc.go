// Package parts makes sure that the real programs the integration tests need
// are on this machine: containerd, ctr, runc, a shim, dockerd, buildkitd, and
// the image tools umoci and skopeo, a browser, and
// what makes file systems.
//
// Go programs are built once, from the Go module proxy, into
// .cache/parts/<name>@<version>/ under the project's root, which git ignores.
// Programs of the distribution are looked up in PATH and, as root, installed
// with apt-get. What cannot be had is an error that says what to do.
package parts
