// Package explain finds what a text names, and tells what it is, who holds it and
// what a prune does with it.
package explain
