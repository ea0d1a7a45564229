package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Program builds the program that containers and build steps of tests run,
// without any library that an image would need. It waits for an interrupt or
// a termination, and prints "waiting" when it does, or ends at once when its
// argument is "exit". With "spin" it is busy meanwhile.
func Program(tb testing.TB) []byte {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "sleeper")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out,
		"github.com/ctr-prune/ctr-prune/integration/clients/cri/sleeper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if msg, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("building the program of the containers: %v\n%s", err, msg)
	}
	program, err := os.ReadFile(out)
	if err != nil {
		tb.Fatalf("reading the program of the containers: %v", err)
	}
	return program
}
