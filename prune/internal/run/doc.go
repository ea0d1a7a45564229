// Package run does a plan, or less of it where the store has changed, in the
// steps of docs/design.md: lock.go, look.go (revalidation and putting back),
// writedown.go, remove.go, lookagain.go, unlease.go, collect.go, measure.go;
// execute.go leads through them. At each step everything that was deleted can
// still be put back.
package run
