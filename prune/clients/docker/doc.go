// Package docker asks a Docker Engine which images its containers use.
//
// Docker keeps only running containers in containerd: of a stopped one
// containerd has a lease and two snapshots, but neither its name nor its image.
// So only the Engine's API can tell, and nothing is removed from a namespace of
// Docker's if its Engine gives no answer that can be trusted.
package docker
