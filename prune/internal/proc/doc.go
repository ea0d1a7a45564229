// Package proc identifies the process, and the run in it, that has begun
// something, and proves later that it has ended, because a lease in a store
// remains after its creator has ended. It reads procfs, and when the machine
// was started.
package proc
