package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2

	// tooLong is what only a command that follows every way through a graph
	// takes: the slowest of these takes seconds on a busy machine.
	tooLong = 2 * time.Minute
	// mostMemory is the peak that no command of these tests may have; where
	// they are used the bounds are tighter, or said to be wider.
	mostMemory = 256 << 20
)

// result is how a run of the command ended.
type result struct {
	t              *testing.T
	args           []string
	stdout, stderr string
	code           int
	// peak is that of the resident memory, in bytes.
	peak int64
	took time.Duration
}

// environment is this machine's, less what configures the command.
func environment() []string {
	env := []string{"TERM=dumb", "NO_COLOR=1"}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CONTAINERD_") && !strings.HasPrefix(kv, "DOCKER_") && !strings.HasPrefix(kv, "GOMEMLIMIT") {
			env = append(env, kv)
		}
	}
	return env
}

// run runs the command without a terminal, and weighs it.
func run(t *testing.T, args ...string) result {
	t.Helper()
	weight := filepath.Join(t.TempDir(), "weight")
	ctx, cancel := context.WithTimeout(t.Context(), tooLong)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, scale, append([]string{weight, program}, args...)...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = environment(), t.TempDir(), &out, &errs
	start := time.Now()
	err := cmd.Run()
	r := result{t: t, args: args, stdout: out.String(), stderr: errs.String(), took: time.Since(start)}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%q did not end within %s", args, tooLong)
	}
	r.code = cmd.ProcessState.ExitCode()
	text, err := os.ReadFile(weight)
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, r.stderr)
	}
	if r.peak, err = strconv.ParseInt(string(text), 10, 64); err != nil {
		t.Fatal(err)
	}
	if r.peak > mostMemory {
		t.Errorf("%q took %d MiB", args, r.peak>>20)
	}
	t.Logf("%.120q: exit %d, %d MiB, %s, %d bytes out", args, r.code, r.peak>>20, r.took.Round(time.Millisecond), len(r.stdout))
	return r
}

// want fails the test at once if the command ended in another way.
func (r result) want(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("%q: exit code %d, want %d\nstderr: %.2000s\nstdout: %.2000s", r.args, r.code, code, r.stderr, r.stdout)
	}
	return r
}

// within fails the test if the command took more memory than that.
func (r result) within(bytes int64) result {
	r.t.Helper()
	if r.peak > bytes {
		r.t.Errorf("%q took %d MiB, more than %d", r.args, r.peak>>20, bytes>>20)
	}
	return r
}

// shorter fails the test if the command printed more than that.
func (r result) shorter(bytes int) result {
	r.t.Helper()
	if n := len(r.stdout) + len(r.stderr); n > bytes {
		r.t.Errorf("%q printed %d bytes, more than %d", r.args, n, bytes)
	}
	return r
}

// clean fails the test if anything was printed that does not print.
func (r result) clean() result {
	r.t.Helper()
	for stream, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr} {
		if !utf8.ValidString(text) {
			r.t.Errorf("%q: %s is not UTF-8", r.args, stream)
		}
		at := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && !strconv.IsPrint(c) })
		if at >= 0 {
			r.t.Errorf("%q: %s has a raw %q in %q", r.args, stream, []rune(text[at:])[0], text[max(0, at-60):min(len(text), at+60)])
		}
	}
	return r
}

// sentence fails the test unless the command refused in one sentence that says
// something.
func (r result) sentence(says string) result {
	r.t.Helper()
	line, whole := strings.CutSuffix(r.stderr, "\n")
	if !whole || strings.Contains(line, "\n") || !strings.HasPrefix(line, "ctr-prune: ") || !strings.Contains(line, says) {
		r.t.Errorf("%q: stderr is not one sentence that says %q: %.2000q", r.args, says, r.stderr)
	}
	return r
}

// parsed reads what --format json printed.
func parsed[T any](r result) (doc T) {
	r.t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), &doc); err != nil {
		r.t.Fatalf("%q: %v\nstderr: %.2000s\nstdout: %.500s", r.args, err, r.stderr, r.stdout)
	}
	return doc
}
