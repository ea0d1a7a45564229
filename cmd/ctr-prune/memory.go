package main

import "runtime/debug"

const (
	envMemory = "GOMEMLIMIT"
	// softMemory is the size from which memory is collected more eagerly.
	// Go lets a heap double before it collects; a run over 10,000 images, which
	// holds two inventories for a moment, then peaks at 350 MB instead of 220.
	softMemory = 192 << 20
)

// limitMemory sets the limit unless the user chose one. It is soft: a store
// that needs more gets more.
func limitMemory(getenv func(string) string) {
	if getenv(envMemory) == "" {
		debug.SetMemoryLimit(softMemory)
	}
}
