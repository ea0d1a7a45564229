// Package security tests what ctr-prune may touch and who may run it, and that
// its build is the same wherever it is made.
package security
