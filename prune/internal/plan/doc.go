// Package plan makes a plan of the decisions: what a collection frees because of
// them, what of the removed images stays and who holds it, which uploads are
// aborted, and whether what is to stay outlasts a collection (stays.go).
package plan
