// Package behaviour shows, on real stores, what ctr-prune promises: each test
// states one behaviour and runs the built command against private containerd
// daemons of every supported version, and against the roots of the same
// daemons when they are stopped.
//
// Every run of the command is followed by a check that knows nothing of how
// pruning works, see subject.check. The library is used directly only where a
// test has to act between two steps of a run.
//
// The package holds tests and nothing else.
package behaviour
