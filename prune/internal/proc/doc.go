// Package proc tells which process, and which run in it, has begun something,
// and proves later that it has ended: a lease in a store outlasts who made it. It
// reads procfs, and when the machine was started.
package proc
