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

func TestPaceCollections(t *testing.T) {
	const unlike = 123
	before := debug.SetGCPercent(unlike)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	for _, value := range []string{"off", "200"} {
		paceCollections(func(name string) string { return map[string]string{"GOGC": value}[name] })
		if got := debug.SetGCPercent(unlike); got != unlike {
			t.Errorf("with GOGC=%q it is set to %d", value, got)
		}
	}
}

func TestPercentOf(t *testing.T) {
	const mib = 1 << 20
	for inUse, want := range map[int64]int{0: 300, 4 * mib: 300, 8 * mib: 150, 12 * mib: 100, 64 * mib: 100, 128 * mib: 50, 160 * mib: 40, 1000 * mib: 40} {
		if got := percentOf(inUse); got != want {
			t.Errorf("with %d bytes in use it is %d, want %d", inUse, got, want)
		}
	}
}
