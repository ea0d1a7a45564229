// Package text says in words and tables what a store holds, what a plan would
// do and what a run did, for people. It writes to a printer of the package
// terminal, which quotes, fits and colours; what other forms of a result say is
// not its business. It decides nothing: all that it tells stands in the types
// of the package prune.
package text
