// Package machine describes the machine that benchmarks run on.
package machine
