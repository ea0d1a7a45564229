// Package nerdctl makes the records that nerdctl makes, with the same calls of
// containerd's client and the same labels: its module cannot be built from the
// module proxy. What is done here was read in its sources, release 2.3.5, and
// for image mounts, which come after it, on its main branch: pkg/cmd/container
// (create.go, run_mount.go), pkg/labels, pkg/composer/serviceparser,
// pkg/cmd/builder (build.go), pkg/imgutil/load.
package nerdctl
