package programs

import (
	"bytes"
	"context"
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

// Result is how a program ended, and what it wrote.
type Result struct {
	Args           []string
	Code           int
	Stdout, Stderr string
}

// Run runs a program with nothing of this environment but what env adds.
func Run(tb testing.TB, env []string, program string, args ...string) Result {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), program, args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	return Collect(tb, cmd)
}

// Collect runs a command that was prepared.
func Collect(tb testing.TB, cmd *exec.Cmd) Result {
	tb.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	return Ended(tb, cmd, cmd.Run(), &out, &errs)
}

// Ended is the result of a command of which the error is what Run or Wait
// returned. That it failed, or was ended by its context, is no failure of the
// test.
func Ended(tb testing.TB, cmd *exec.Cmd, err error, stdout, stderr *bytes.Buffer) Result {
	tb.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, context.DeadlineExceeded) {
		tb.Fatalf("running %q: %v", cmd.Args, err)
	}
	return Result{cmd.Args[1:], cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// Want fails the test at once unless the program ended with that code, and
// otherwise unless it said all of that on stderr, and did not panic.
func (r Result) Want(tb testing.TB, code int, says ...string) Result {
	tb.Helper()
	if r.Code != code {
		tb.Fatalf("%.200q: exit code %d, want %d\nstderr: %.4000s\nstdout: %.2000s", r.Args, r.Code, code, r.Stderr, r.Stdout)
	}
	for _, text := range says {
		if !strings.Contains(r.Stderr, text) {
			tb.Errorf("%.200q: stderr does not say %q:\n%s", r.Args, text, r.Stderr)
		}
	}
	if r.Panicked() {
		tb.Errorf("%.200q: it panicked:\n%s", r.Args, r.Stderr)
	}
	return r
}

// Panicked says whether the program ended by a panic or a signal.
func (r Result) Panicked() bool {
	return r.Code < 0 || strings.Contains(r.Stderr, "panic") || strings.Contains(r.Stderr, "goroutine ")
}

// Sentence fails the test unless stderr is one sentence that says something.
func (r Result) Sentence(tb testing.TB, says string) Result {
	tb.Helper()
	line, whole := strings.CutSuffix(r.Stderr, "\n")
	if !whole || strings.Contains(line, "\n") || !strings.HasPrefix(line, "ctr-prune: ") || !strings.Contains(line, says) {
		tb.Errorf("%.200q: stderr is not one sentence that says %q: %.2000q", r.Args, says, r.Stderr)
	}
	return r
}

// Clean fails the test if anything was printed that does not print: a control
// or escape character, one that changes the direction of writing, or bytes that
// are no text.
func (r Result) Clean(tb testing.TB) Result {
	tb.Helper()
	for stream, text := range map[string]string{"stdout": r.Stdout, "stderr": r.Stderr} {
		if !utf8.ValidString(text) {
			tb.Errorf("%.200q: %s is not UTF-8", r.Args, stream)
		}
		at := strings.IndexFunc(text, func(c rune) bool { return c != '\n' && !strconv.IsPrint(c) })
		if at >= 0 {
			tb.Errorf("%.200q: %s has a raw %q in %q", r.Args, stream, []rune(text[at:])[0], text[max(0, at-60):min(len(text), at+60)])
		}
	}
	return r
}

// Document parses the plan or report of --format json.
func (r Result) Document(tb testing.TB) prune.Document {
	tb.Helper()
	return Parse[prune.Document](tb, r)
}

// Parse parses what a program printed as JSON, and holds a document of
// ctr-prune against its schema.
func Parse[T any](tb testing.TB, r Result) (parsed T) {
	tb.Helper()
	if err := json.Unmarshal([]byte(r.Stdout), &parsed); err != nil {
		tb.Fatalf("%.200q: parsing what it printed: %v\nstderr: %.2000s\nstdout: %.2000s", r.Args, err, r.Stderr, r.Stdout)
	}
	conform(tb, []byte(r.Stdout))
	return parsed
}
