// Package serve tests ctr-prune serve on real containerds: scheduled runs, the pages,
// the end in the middle of a run, the death in another PID namespace and who takes
// over, containerd gone and back, two residents, and commands of the moment beside
// one.
package serve
