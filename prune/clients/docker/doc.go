// Package docker asks a Docker Engine which images its containers use.
//
// Docker keeps in containerd only the containers that run: of a stopped one
// containerd knows a lease and two snapshots, but neither name nor image. So
// the Engine's API is the only one to ask, and a namespace of Docker's whose
// Engine gives no answer that can be trusted is left alone.
package docker
