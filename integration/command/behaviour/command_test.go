package behaviour_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// command prepares the command with nothing of this machine's configuration.
// On a terminal it uses no sequences of its own, so that all that are seen
// come from a store.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = os.TempDir()
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CONTAINERD_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "TERM=dumb", "NO_COLOR=1")
	return cmd
}

// run runs the command without a terminal.
func run(t *testing.T, args ...string) programs.Result {
	t.Helper()
	return finish(t, start(t, args...))
}

// running is a command whose output is collected.
type running struct {
	*exec.Cmd
	out, err *bytes.Buffer
}

func prepare(args ...string) running {
	r := running{command(args...), &bytes.Buffer{}, &bytes.Buffer{}}
	r.Stdout, r.Stderr = r.out, r.err
	return r
}

// start starts the command without a terminal.
func start(t *testing.T, args ...string) running {
	t.Helper()
	r := prepare(args...)
	r.begin(t)
	return r
}

// begin starts the command. A test that ends kills it.
func (r running) begin(t *testing.T) {
	t.Helper()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Process.Kill() }) // most have ended long ago
}

// finish waits for the end of a started command.
func finish(t *testing.T, r running) programs.Result {
	t.Helper()
	return programs.Ended(t, r.Cmd, r.Wait(), r.out, r.err)
}

// exitOf returns the exit code in what Wait returned; -1 after a signal.
func exitOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// wantSentence fails the test unless the command refused in one sentence on
// stderr and printed nothing else.
func wantSentence(t *testing.T, r programs.Result, code int, says string) {
	t.Helper()
	r.Want(t, code).Sentence(t, says)
	if r.Stdout != "" {
		t.Errorf("stdout: %q", r.Stdout)
	}
}
