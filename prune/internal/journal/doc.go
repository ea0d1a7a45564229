// Package journal is what a run writes down before it deletes anything, so that
// every record can be put back: by the run itself, by the next one after a kill,
// or by an undo.
package journal
