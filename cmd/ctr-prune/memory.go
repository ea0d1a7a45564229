package main

import "runtime/debug"

const (
	envCollect = "GOGC"
	// collectAt is by how many percent the memory in use grows before garbage is
	// collected. Go's own 100 spares a little CPU time and takes memory for it,
	// which a node may have less of. A limit (GOMEMLIMIT) would spare more up to
	// some size, but a store that has more in use than the limit makes Go collect
	// without a pause, and costs many times its share.
	collectAt = 70
)

// collectEagerly keeps the peak low, unless the user chose how.
func collectEagerly(getenv func(string) string) {
	if getenv(envCollect) == "" {
		debug.SetGCPercent(collectAt)
	}
}
