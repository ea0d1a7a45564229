// Package check looks for problems in a store, and repairs what can be repaired
// without risk.
package check
