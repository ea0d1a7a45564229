// Package growth says how the cost of something grows with its size, and
// whether it grows worse than linear.
package growth
