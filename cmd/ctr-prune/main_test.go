package main

import (
	"context"
	"os"
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
	ctx, stop := withSignals(context.Background(), os.Exit)
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
