package hostile

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

const (
	// tooLong is what only a command that follows every way through a graph
	// takes: the slowest of these takes seconds on a busy machine.
	tooLong = 2 * time.Minute
	// mostMemory is the peak that no command of these tests may have; where
	// they are used the bounds are tighter, or said to be wider.
	mostMemory = 256 << 20
)

// result is how a run of the command ended.
type result struct {
	programs.Result
	t *testing.T
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
	cmd := exec.CommandContext(ctx, scale, append([]string{weight, program}, args...)...)
	cmd.Env, cmd.Dir = environment(), t.TempDir()
	start := time.Now()
	r := result{Result: programs.Collect(t, cmd), t: t, took: time.Since(start)}
	r.Args = args
	if ctx.Err() != nil {
		t.Fatalf("%q did not end within %s", args, tooLong)
	}
	text, err := os.ReadFile(weight)
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, r.Stderr)
	}
	if r.peak, err = strconv.ParseInt(string(text), 10, 64); err != nil {
		t.Fatal(err)
	}
	if r.peak > mostMemory {
		t.Errorf("%q took %d MiB", args, r.peak>>20)
	}
	t.Logf("%.120q: exit %d, %d MiB, %s, %d bytes out", args, r.Code, r.peak>>20, r.took.Round(time.Millisecond), len(r.Stdout))
	return r
}

// want fails the test at once if the command ended in another way.
func (r result) want(code int) result {
	r.t.Helper()
	r.Want(r.t, code)
	return r
}

// within fails the test if the command took more memory than that.
func (r result) within(bytes int64) result {
	r.t.Helper()
	if r.peak > bytes {
		r.t.Errorf("%q took %d MiB, more than %d", r.Args, r.peak>>20, bytes>>20)
	}
	return r
}

// shorter fails the test if the command printed more than that.
func (r result) shorter(bytes int) result {
	r.t.Helper()
	if n := len(r.Stdout) + len(r.Stderr); n > bytes {
		r.t.Errorf("%q printed %d bytes, more than %d", r.Args, n, bytes)
	}
	return r
}

// parsed reads what --format json printed.
func parsed[T any](r result) (doc T) {
	r.t.Helper()
	return programs.Parse[T](r.t, r.Result)
}
