// Package programs builds programs of this module, ctr-prune before all, and
// runs them as users do.
package programs
