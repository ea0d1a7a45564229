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

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// The exit codes that are looked for.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUnreachable = 4
)

// bed is a stopped daemon with a store that can be put back as it was.
type bed struct {
	t      *testing.T
	d      *daemon.Daemon
	copy   string
	images map[string][]*imagestore.Image
	full   *oracle.State
}

// newBed fills a store of two namespaces: shared layers, an image under two
// names, one in use by its name and one by its digest, and one that build
// history holds. Then it stops the daemon.
func newBed(t *testing.T, version parts.Part) *bed {
	t.Helper()
	d := daemon.Start(t, daemon.Options{Version: version, NoSync: true, Dir: daemon.Memory()})
	b := &bed{t: t, d: d, copy: filepath.Join(d.Dir(), "copy"), images: map[string][]*imagestore.Image{}}
	builder := imagestore.New(1)
	for _, ns := range []string{"default", "other"} {
		s, ctx := d.Store(ns), t.Context()
		base := builder.Image(imagestore.Spec{Name: "docker.io/library/base:1", LayerBytes: 2 << 10})
		b.must(s.Add(ctx, base))
		images := []*imagestore.Image{base}
		for _, name := range []string{"used", "by-digest", "built", "one", "two"} {
			img := builder.Image(imagestore.Spec{Name: "docker.io/library/" + name + ":1", Base: base, Layers: 1, LayerBytes: 2 << 10})
			images = append(images, img)
			b.must(s.Add(ctx, img))
		}
		b.must(
			s.Tag(ctx, images[4].Name, "docker.io/library/alias:1"),
			s.NerdctlContainer(ctx, "used-by-name", "used", images[1].Name, images[1]),
			s.Container(ctx, imagestore.ContainerSpec{ID: "used-by-digest", Image: images[2].Target.Digest.String(), Of: images[2]}),
			s.HistoryLease(ctx, "build", images[3]),
		)
		b.images[ns] = images
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
	b.run("--all", "--force", "-n", "default", "-n", "other").want(b.t, what, exitDone)
	if r := b.run("check"); r.Code != exitDone {
		// containerd forgets what it was about to remove when it was killed.
		b.run("check", "--repair")
		b.run("check").want(b.t, what+": check", exitDone)
	}
}

// equal fails the test unless the two states are the same store.
func (b *bed) equal(what string, want, got *oracle.State) {
	b.t.Helper()
	if diff := cmp.Diff(oracle.Changes{}, oracle.Diff(want, got)); diff != "" {
		b.t.Errorf("%s: the store differs:\n%s", what, diff)
	}
	if diff := cmp.Diff(want.Files, got.Files); diff != "" {
		b.t.Errorf("%s: the files differ:\n%s", what, diff)
	}
}
