// Package imagestore makes real OCI images from files of this machine and
// puts them, and all that refers to images, into a containerd store: records,
// containers, leases, uploads, broken and hostile things.
//
// A [Builder] makes [Image] values in memory. A [Store], one namespace of a
// daemon or of an [Embedded] store, takes them in with containerd's own code:
// import, unpack, lease, container create. Nothing here depends on package
// testing, so that the demonstration uses it too.
package imagestore
