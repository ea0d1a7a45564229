// Package retention is the policy file: which images stay although nothing uses
// them. It parses the file, and judges the records of a namespace by it. It does
// no I/O.
package retention
