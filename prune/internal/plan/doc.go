// Package plan makes a plan from the decisions: what a collection frees because
// of them, what of the removed images is kept and who holds it, which uploads
// are aborted, and whether everything to be kept survives a collection
// (stays.go).
package plan
