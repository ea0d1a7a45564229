// Fleet computes what ctr-prune serve costs a cluster of one to ten thousand nodes, and
// how far a bad policy gets: the tables of docs/fleet.md. The moments of runs are those
// of the schedule that serve has; the rest is counted, and the traffic of a registry is
// simulated. The same program prints the same tables.
package main
