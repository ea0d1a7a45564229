// Package undo lists the runs that were given a grace, puts back what they
// removed or lets go of it, and lists and prunes leases.
package undo
