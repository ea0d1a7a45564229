// Image writes the container image of ctr-prune: one file on nothing, for amd64
// and arm64, each with its bill of materials as an attestation. The same programs give
// the same bytes.
//
// It writes an OCI image layout and, for `docker load` before Docker 25, an
// archive for each platform. With -load it imports the layout into a containerd.
package main
