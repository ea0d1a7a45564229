// Package journal has what a run records before it deletes anything, so that
// every image record can be restored: by the run itself, by the next one after
// a kill, or by an undo.
package journal
