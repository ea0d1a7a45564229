// Package explain finds the object that a text names, and describes what it is,
// who holds it and what a prune would do with it.
package explain
