package behaviour_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

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
func run(t *testing.T, args ...string) result {
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
func finish(t *testing.T, r running) result {
	t.Helper()
	code := exitOf(t, r.Wait())
	return result{stdout: r.out.String(), stderr: r.err.String(), code: code}
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

// wantClean fails the test if anything was printed that does not print: a
// control or escape character, one that changes the direction of writing, or
// bytes that are no text.
func (r result) wantClean(t *testing.T) {
	t.Helper()
	for stream, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
		if !utf8.ValidString(text) {
			t.Errorf("%s is not UTF-8", stream)
		}
		at := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && !strconv.IsPrint(c) })
		if at >= 0 {
			t.Errorf("%s has a raw %q in %q", stream, []rune(text[at:])[0], text[max(0, at-60):min(len(text), at+60)])
		}
	}
}
