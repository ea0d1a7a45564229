package root

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// bed is a stopped daemon with a store that can be put back as it was.
type bed struct {
	t       *testing.T
	d       *daemon.Daemon
	copy    string
	samples map[string]*imagestore.Sample // by namespace
	full    *oracle.State
}

// newBed fills a store of two namespaces and stops the daemon.
func newBed(t *testing.T, version parts.Part) *bed {
	t.Helper()
	d := daemon.Start(t, daemon.Options{Version: version, NoSync: true, Dir: daemon.Memory()})
	b := &bed{t: t, d: d, copy: filepath.Join(d.Dir(), "copy"), samples: map[string]*imagestore.Sample{}}
	builder := imagestore.New(1)
	for _, ns := range []string{"default", "other"} {
		s, sample := d.Store(ns), builder.Sample()
		b.must(s.AddSample(t.Context(), sample), s.UseSample(t.Context(), sample))
		b.samples[ns] = sample
	}
	b.must(d.Store("default").Collect(t.Context()))
	d.Stop()
	b.must(b.cp(d.Root(), b.copy))
	b.full = b.d.Capture()
	return b
}

func (b *bed) must(errs ...error) {
	b.t.Helper()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) cp(from, to string) error {
	out, err := exec.Command("cp", "-a", from, to).CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return nil
}

// refill puts the store back as it was.
func (b *bed) refill() {
	b.t.Helper()
	b.must(os.RemoveAll(b.d.Root()), b.cp(b.copy, b.d.Root()))
}

// patience is how long a command may take that usually takes a tenth of a
// second.
const patience = 5 * time.Minute

func (b *bed) run(args ...string) result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"--root", b.d.Root()}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) } // it tells where it hangs
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	return result{programs.Collect(b.t, cmd)}
}

// result is what a run of the command left.
type result struct{ programs.Result }

// panicked says whether a command ended by a panic or a signal.
func (r result) panicked() bool { return r.Code == 2 || r.Panicked() }

// want fails the test unless the command ended with that code.
func (r result) want(t *testing.T, what string, code int) result {
	t.Helper()
	if r.Code != code {
		t.Errorf("%s: exit code %d, want %d\n%s%s", what, r.Code, code, r.Stdout, r.Stderr)
	}
	return r
}

// pruneAndCheck lets the command finish, and its check find nothing.
func (b *bed) pruneAndCheck(what string) {
	b.t.Helper()
	b.run("--all", "--force", "-n", "default", "-n", "other").want(b.t, what, programs.ExitDone)
	if r := b.run("check"); r.Code != programs.ExitDone {
		// containerd forgets what it was about to remove when it was killed.
		b.run("check", "--repair")
		b.run("check").want(b.t, what+": check", programs.ExitDone)
	}
}

// equal fails the test unless the two states are the same store.
func (b *bed) equal(what string, want, got *oracle.State) {
	b.t.Helper()
	if diff := oracle.Differences(want, got); diff != "" {
		b.t.Errorf("%s: the store differs:\n%s", what, diff)
	}
}
