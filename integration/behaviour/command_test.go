package behaviour_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The exit codes that the command promises.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitBusy        = 3
	exitUnreachable = 4
	exitInterrupted = 130
)

// result is how a run of the command ended.
type result struct {
	stdout, stderr string
	code           int
}

// command prepares the command with nothing of this machine's configuration.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = os.TempDir()
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CONTAINERD_") && !strings.HasPrefix(kv, "TERM=") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, "TERM=xterm")
	return cmd
}

// run runs the command without a terminal.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return finish(t, start(t, args...))
}

// running is a started command whose output is collected.
type running struct {
	*exec.Cmd
	out, err *bytes.Buffer
}

// start starts the command without a terminal. A test that ends kills it.
func start(t *testing.T, args ...string) running {
	t.Helper()
	r := running{command(args...), &bytes.Buffer{}, &bytes.Buffer{}}
	r.Stdout, r.Stderr = r.out, r.err
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Process.Kill() }) // most have ended long ago
	return r
}

// finish waits for the end of a started command.
func finish(t *testing.T, r running) result {
	t.Helper()
	return result{stdout: "", stderr: "", code: exitOf(t, r.Wait())}.with(r)
}

func (r result) with(of running) result {
	r.stdout, r.stderr = of.out.String(), of.err.String()
	return r
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

// want fails the test at once if the command ended in another way.
func (r result) want(t *testing.T, code int) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit code %d, want %d\nstderr: %s\nstdout: %.2000s", r.code, code, r.stderr, r.stdout)
	}
	return r
}

// document parses what --format json printed.
func (r result) document(t *testing.T) prune.Document {
	t.Helper()
	var doc prune.Document
	if err := json.Unmarshal([]byte(r.stdout), &doc); err != nil {
		t.Fatalf("parsing the document: %v\nstderr: %s\nstdout: %.2000s", err, r.stderr, r.stdout)
	}
	return doc
}

// wantSentence fails the test unless the command refused in one sentence on
// stderr and printed nothing else.
func (r result) wantSentence(t *testing.T, code int, contains string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	line, more := strings.CutSuffix(r.stderr, "\n")
	if !more || strings.Contains(line, "\n") || !strings.HasPrefix(line, "ctr-prune: ") {
		t.Errorf("stderr is not one sentence: %q", r.stderr)
	}
	if !strings.Contains(line, contains) {
		t.Errorf("stderr does not say %q: %q", contains, r.stderr)
	}
	if r.stdout != "" {
		t.Errorf("stdout: %q", r.stdout)
	}
}
