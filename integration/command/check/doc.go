// Package check plants every problem that `ctr-prune check` looks for in the
// stores of real daemons, and holds the check, and what it repairs, to them.
package check
