// Package docker runs a real Docker Engine for tests: dockerd with the image
// store of a private containerd, spoken to through its API.
//
// Containers run without a network, so that neither bridges nor rules of the
// machine's firewall are touched.
package docker
