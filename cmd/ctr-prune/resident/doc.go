// Package resident is what ctr-prune serve does on a node for years: a loop that
// begins runs when they are due, one at a time, and sleeps otherwise.
//
// The loop owns all state and never waits for anything but events ([Resident.turn]).
// What takes time, a look at the store or a run, is a job in a goroutine of its own
// (job.go), whose findings the loop takes over. So a loop that turns is proof of
// life, whatever containerd does.
package resident
