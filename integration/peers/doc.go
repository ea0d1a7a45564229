// Package peers prunes copies of one store with ctr-prune and with the tools
// of its neighbours, in turn, and compares how long each takes, what it says
// was reclaimed with what the disk gave back, and how many images that
// containers use are lost. `make bench-peers` runs it; without flags it only
// proves on small stores that it works.
package peers
