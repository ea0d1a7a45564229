// Package races prunes without a pause while everything else that uses a
// containerd goes on: pulls, imports, tags, containers, leases, pods, other
// pruners, and builds, both imitated ones and those of a real buildkitd and of
// a Docker Engine with both its builders. Under them all containerd is restarted
// and killed, and so are buildkitd and the Engine. Nothing that somebody holds,
// and no image that no run may remove, may be lost, and nothing may fail that
// would not have failed without the pruner.
//
// A race has legs: each ends with a kill, after which the next run has to
// finish what was cut off and [prune.Check] has to find everything in order.
// With SOAK=5m there are as many legs as five minutes have room for.
//
// What may fail, and is counted apart, is what any removal of an unused image
// does to a client that looked the image up and was not yet using it, and what
// was under way when containerd went away or came back, or the builders, for
// those that need them. A run on a containerd before 2.0 may tell of a record
// that somebody wrote in the moment of its deletion.
package races
