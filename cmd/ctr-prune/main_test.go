package main

import (
	"context"
	"os"
	"runtime/debug"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// TestMain makes the command of this package one that scripts can run.
func TestMain(m *testing.M) {
	quietLogs()
	testscript.Main(m, map[string]func(){"ctr-prune": func() { os.Exit(scripted()) }})
}

// scripted is run with a clock that a script moves: LATER=96h is in four days.
func scripted() int {
	ctx, _, stop := withSignals(context.Background(), os.Exit)
	defer stop()
	later, err := time.ParseDuration(os.Getenv("LATER"))
	if err != nil {
		later = 0
	}
	return Main(ctx, os.Args[1:], process{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, columns: terminal.Columns, logAt: logAt,
		now: func() time.Time { return time.Now().Add(later) },
	})
}

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
