// Package races prunes without a pause while everything else that uses a
// containerd goes on: pulls, imports, builds, tags, containers, leases, pods,
// other pruners, and restarts of the daemon. Nothing that somebody holds may be
// lost, and nothing may fail that would not have failed without the pruner.
package races
