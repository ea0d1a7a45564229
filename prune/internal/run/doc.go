// Package run carries out a plan, skipping what has changed in the store, in
// the steps of docs/design.md: lock.go, look.go (revalidation and putting
// back), writedown.go, remove.go, lookagain.go, unlease.go, collect.go,
// measure.go; execute.go calls them in order. At each step everything deleted
// so far can still be restored.
package run
