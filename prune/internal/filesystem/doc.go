// Package filesystem looks at the file systems that a store is on: what they hold
// of it, how full they are, and what has to be freed by the marks of a policy.
package filesystem
