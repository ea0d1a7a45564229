// Package pruning runs the whole flow for tests, as the command does: open,
// read, plan, execute.
package pruning
