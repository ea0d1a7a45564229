// Package check looks for what is not as it should be in a store, and repairs
// what can be repaired without risk.
package check
