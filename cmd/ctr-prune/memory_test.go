package main

import (
	"runtime/debug"
	"testing"
)

func TestCollectEagerly(t *testing.T) {
	const unlike = 123
	before := debug.SetGCPercent(unlike)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	for value, want := range map[string]int{"": collectAt, "off": unlike, "200": unlike} {
		debug.SetGCPercent(unlike)
		collectEagerly(func(name string) string { return map[string]string{"GOGC": value}[name] })
		if got := debug.SetGCPercent(unlike); got != want {
			t.Errorf("with GOGC=%q: %d, want %d", value, got, want)
		}
	}
}
