package pruning

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Command builds ctr-prune and returns the path of the program.
func Command(tb testing.TB) string {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), "ctr-prune")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", out, "github.com/ctr-prune/ctr-prune/cmd/ctr-prune")
	if msg, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("building ctr-prune: %v\n%s", err, msg)
	}
	return out
}

// Output is what a command left.
type Output struct {
	Code        int
	Out, Stderr string
}

// Call runs a program with nothing of this environment but what env adds.
func Call(tb testing.TB, env []string, program string, args ...string) Output {
	tb.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(tb.Context(), program, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatalf("running %s: %v", program, err)
	}
	return Output{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
