package answers_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// node is a store with one of everything that the commands tell of.
type node struct {
	t       *testing.T
	daemon  *daemon.Daemon
	stopped bool
	// at is where the root is mounted once more, if it is.
	at string

	base, app, used, built, dangling, pulled *imagestore.Image
}

// everywhere runs a test on the running and the stopped daemons.
func everywhere(t *testing.T, test func(n *node)) {
	t.Parallel()
	daemon.EachMode(t, func(t *testing.T, v parts.Part, stopped bool) {
		daemon.LeaveToLong(t, v, stopped)
		t.Parallel()
		test(newNode(t, v, stopped))
	})
}

// latest runs a test on the latest daemon, running and stopped: what does not
// depend on its version.
func latest(t *testing.T, test func(n *node)) {
	t.Parallel()
	for name, stopped := range map[string]bool{"running": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newNode(t, parts.Containerd24, stopped))
		})
	}
}

func newNode(t *testing.T, v parts.Part, stopped bool) *node {
	t.Helper()
	n := &node{t: t, daemon: daemon.Start(t, daemon.Options{Version: v, NoSync: true}), stopped: stopped}
	n.fill(n.daemon.Store("default"))
	n.must(n.daemon.Store("default").Collect(t.Context()))
	if stopped {
		n.daemon.Stop()
	}
	return n
}

func (n *node) state() *oracle.State { return n.daemon.Capture() }

func (n *node) fill(s imagestore.Store) {
	n.t.Helper()
	ctx, b := n.t.Context(), imagestore.New(1)
	image := func(name string, base *imagestore.Image, layers int) *imagestore.Image {
		return b.Image(imagestore.Spec{Name: name, Base: base, Layers: layers, LayerBytes: 8 << 10})
	}
	n.base = image("docker.io/library/base:1", nil, 2)
	n.app = image("docker.io/library/app:1", n.base, 2)
	n.used = image("docker.io/library/used:1", n.base, 1)
	n.built = image("docker.io/library/built:1", nil, 2)
	n.dangling = image("", n.base, 1)
	n.dangling.Name = imagestore.NoneDangling(n.dangling.Target.Digest)
	n.pulled = image("", nil, 1)
	for _, img := range []*imagestore.Image{n.base, n.app, n.used, n.built, n.dangling} {
		n.must(s.Add(ctx, img))
	}
	_, err := s.Ingest(ctx, "layer-sha256:upload", make([]byte, 4096))
	n.must(err,
		s.Tag(ctx, n.app.Name, "docker.io/library/app:latest"),
		s.Label(ctx, n.app.Name, map[string]string{"team": "web"}),
		s.Container(ctx, imagestore.ContainerSpec{ID: "worker", Image: n.used.Name, Of: n.used}),
		s.HistoryLease(ctx, "u7w5c2jq1xyz", n.built),
		s.PullLease(ctx, "pulling", time.Now().Add(time.Hour), n.pulled),
		s.In("other").Add(ctx, n.base),
	)
}

func (n *node) must(errs ...error) {
	n.t.Helper()
	if err := errors.Join(errs...); err != nil {
		n.t.Fatal(err)
	}
}

// where is how the command is told of the store.
func (n *node) where() []string {
	if n.at != "" {
		return []string{"--root", n.at}
	}
	return n.daemon.Flags(n.stopped)
}

// run runs the command on the store and fails the test if it ends otherwise.
func (n *node) run(code int, args ...string) programs.Result {
	n.t.Helper()
	return n.runWith("", code, args...)
}

func (n *node) runWith(stdin string, code int, args ...string) programs.Result {
	n.t.Helper()
	cmd := n.command(args...)
	cmd.Stdin = strings.NewReader(stdin)
	return programs.Collect(n.t, cmd).Want(n.t, code)
}

func (n *node) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, append(args, n.where()...)...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CONTAINERD_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	return cmd
}

// runAtOnce runs commands side by side, which is quicker where each waits.
func (n *node) runAtOnce(commands ...[]string) []programs.Result {
	n.t.Helper()
	var wg sync.WaitGroup
	results := make([]func() programs.Result, len(commands))
	for i, args := range commands {
		wg.Go(func() {
			var out, errs bytes.Buffer
			cmd := n.command(args...)
			cmd.Stdout, cmd.Stderr = &out, &errs
			err := cmd.Run()
			results[i] = func() programs.Result { return programs.Ended(n.t, cmd, err, &out, &errs) }
		})
	}
	wg.Wait()
	ended := make([]programs.Result, 0, len(commands))
	for _, result := range results {
		ended = append(ended, result())
	}
	return ended
}

// read runs the command with --format json and decodes what it says.
func read[T any](n *node, args ...string) T {
	n.t.Helper()
	return decode[T](n, n.run(0, append(args, "--format", "json")...).Stdout)
}

func decode[T any](n *node, text string) T {
	n.t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		n.t.Fatalf("%v in:\n%.2000s", err, text)
	}
	return v
}

// wantSame fails the test if the store is not as it was.
func (n *node) wantSame(before *oracle.State) {
	n.t.Helper()
	c := oracle.Diff(before, n.state())
	if len(c.Added)+len(c.Removed)+len(c.Changed) > 0 {
		n.t.Errorf("the store was changed: %+v", c)
	}
}

func (n *node) wantText(text string, parts ...string) {
	n.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			n.t.Errorf("no %q in:\n%s", part, text)
		}
	}
}
