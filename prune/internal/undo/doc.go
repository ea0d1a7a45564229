// Package undo lists the runs that were given a grace, restores or drops
// what they removed, and lists and prunes leases.
package undo
