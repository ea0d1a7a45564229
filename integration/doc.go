// Package integration holds the tests that need more than one package, most of
// them on real daemons, and what they stand on. Nothing that ships imports it.
//
//	bed      what tests stand on: daemons, the programs they need, images, a
//	         proxy in front of containerd, a control plane, a machine of their
//	         own, runs of the library
//	clients  tests with real clients of containerd: CRI, Docker, BuildKit,
//	         nerdctl's records, all of them on one node, a kubelet, and programs
//	         that make and move images
//	command  tests of the command from outside, and of its documents
//	faults   tests in which something breaks: calls, the disk, containerd, the
//	         root of a stopped daemon, a hostile store, races
//	model    random steps of clients, pruners and the clock
//	oracle   says whether a prune did harm, by rules of its own
//	bench    how long ctr-prune takes, and how that grows with the store
//	peers    the same work done by ctr-prune and by other tools
//	tools    programs that the Makefile runs, and tests of what is deployed
//
// The tests that need a daemon skip, and say why, where it cannot run. Those that
// need a kubelet have the tag cluster, and are run by make test-cluster.
package integration
