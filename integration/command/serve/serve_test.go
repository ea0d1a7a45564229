package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/proxy"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A resident runs on its schedule, tells what it did wherever it promises to, ends
// when it is asked to, and what it removed comes back.
func TestScheduleAndPages(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := newNode(t, daemon.Options{Version: version})
		all := n.images("a", "b", "used")
		n.use("c1", all[2])
		before := n.daemon.Capture()
		address := freeAddress(t)
		n.configure("every: 2s, grace: 1h, listen: '" + address + "'")
		r := n.serve(n.daemon.Address(), false)
		r.await("msg=containerd answers", "version=")
		r.await("msg=removed an image", "image=docker.io/library/a:1", "rule=all", "bytes=", "run=")
		run := r.await("msg=a run ended", "trigger=schedule", "result=done", "removed=2")["run"].(string)
		r.await("msg=a run ended", "trigger=schedule", "result=nothing")
		if got := n.names(); got != "used" {
			t.Errorf("left are %s", got)
		}
		for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/": "docker.io/library/used:1", "/metrics": `ctr_prune_runs_total{result="done",trigger="schedule"} 1`, "/status": run} {
			if code, text := page(t, address, path); code != 200 || !strings.Contains(text, want) {
				t.Errorf("%s: %d %s", path, code, text)
			}
		}
		if said := programs.Run(t, nil, binary, "history", "--state", n.state(), run); said.Code != 0 || !strings.Contains(said.Stdout, "Untagged: docker.io/library/a:1") {
			t.Errorf("history: %+v", said)
		}
		r.signal(syscall.SIGTERM)
		r.ends(0)
		if said := programs.Run(t, nil, binary, "undo", "--address", n.daemon.Address(), run); said.Code != 0 {
			t.Errorf("undo: %+v", said)
		}
		if got := n.names(); got != "a b used" {
			t.Errorf("after the undo there are %s", got)
		}
		n.unharmed(before)
	})
}

// gate stops calls of a proxy.
type gate struct {
	mu     sync.Mutex
	method string
	nth    int
	// reached is closed when the call is there; the calls of the method wait for goOn
	// from then on.
	reached, goOn chan struct{}
}

// hold begins to wait for a call, the n-th from now on.
func (g *gate) hold(method string, nth int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.method, g.nth, g.reached, g.goOn = method, nth, make(chan struct{}), make(chan struct{})
}

func (g *gate) pass(ctx context.Context, call proxy.Call) {
	g.mu.Lock()
	if call.Method != g.method || call.Answered {
		g.mu.Unlock()
		return
	}
	if g.nth--; g.nth > 0 {
		g.mu.Unlock()
		return
	}
	if g.nth == 0 {
		close(g.reached)
	}
	goOn := g.goOn
	g.mu.Unlock()
	select {
	case <-goOn:
	case <-ctx.Done():
	}
}

func (n *node) proxy() (*gate, string) {
	n.Helper()
	g, address := &gate{}, filepath.Join(n.daemon.Dir(), "gate.sock")
	proxy.Start(n, n.daemon.Address(), address, g.pass)
	return g, address
}

const (
	deleteImage = "/containerd.services.images.v1.Images/Delete"
	deleteLease = "/containerd.services.leases.v1.Leases/Delete"
)

// Killed at any step, in a PID namespace in which nobody can see that it is gone, its
// run is finished by the next resident as soon as that begins.
func TestKilledInAnotherPIDNamespace(t *testing.T) {
	for _, step := range []struct {
		name, method string
		nth          int
	}{
		{"at the first deletion", deleteImage, 1},
		{"in the midst of deletions", deleteImage, 3},
		{"when a lease is given up", deleteLease, 1},
	} {
		t.Run(step.name, func(t *testing.T) {
			daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
				n := newNode(t, daemon.Options{Version: version})
				all := n.images("a", "b", "c", "d", "used")
				n.use("c1", all[4])
				before := n.daemon.Capture()
				n.configure("listen: none")
				g, address := n.proxy()
				g.hold(step.method, step.nth)
				first := n.serve(address, true)
				first.await("msg=containerd answers")
				first.run(t)
				<-g.reached
				first.kill()
				n.use("late", all[0]) // of an image that the run may have removed
				second := n.serve(n.daemon.Address(), true)
				second.await("msg=finished a killed run", "namespace=default")
				second.await("msg=a run ended", "trigger=startup", "result=done")
				second.run(t)
				second.await("msg=a run ended", "trigger=signal")
				second.signal(syscall.SIGKILL)
				if got := n.names(); got != "a used" {
					t.Errorf("left are %s", got)
				}
				n.unharmed(before)
				n.remembers("used:1", "c1")
			})
		})
	}
}

// remembers fails the test unless it is known, although every resident was killed, by which
// container an image was used and from when on that was watched.
func (n *node) remembers(image, container string) {
	n.Helper()
	files, err := filepath.Glob(filepath.Join(n.state(), "*", "use.json"))
	n.must(err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		n.must(err)
		if !json.Valid(text) {
			n.Errorf("%s is no JSON: %s", file, text)
		}
	}
	said := programs.Run(n, nil, binary, "explain", "--address", n.daemon.Address(), "--state", n.state(), image)
	if len(files) != 1 || said.Code != 0 || !strings.Contains(said.Stdout, container) || !strings.Contains(said.Stdout, "watched since") {
		n.Errorf("%d files; explain says %s%s", len(files), said.Stdout, said.Stderr)
	}
}

// run asks a resident for a run. In a PID namespace of its own it is a child of the
// process that was started.
func (r *resident) run(t *testing.T) {
	t.Helper()
	r.must(syscall.Kill(r.pid(), syscall.SIGUSR1))
	r.await("msg=a run was asked for")
}

// Asked to end in the middle of a run it finishes that in order.
func TestTermDuringARun(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := newNode(t, daemon.Options{Version: version})
		all := n.images("a", "b", "c", "used")
		n.use("c1", all[3])
		before := n.daemon.Capture()
		n.configure("listen: none")
		g, address := n.proxy()
		g.hold(deleteImage, 1)
		r := n.serve(address, false)
		r.await("msg=containerd answers")
		r.run(t)
		<-g.reached
		r.signal(syscall.SIGTERM)
		close(g.goOn)
		r.await("msg=a run ended", "trigger=signal")
		r.ends(0)
		for id := range n.daemon.Capture().Namespaces["default"].Leases {
			t.Errorf("lease %s is left", id)
		}
		n.unharmed(before)
	})
}

// While containerd is away it lives and waits, and works when it is back.
func TestContainerdGoneAndBack(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := newNode(t, daemon.Options{Version: version})
		n.images("a")
		address := freeAddress(t)
		n.configure("listen: '" + address + "'")
		r := n.serve(n.daemon.Address(), false)
		r.await("msg=containerd answers")
		store, err := prune.Open(t.Context(), n.daemon.Address())
		n.must(err)
		defer store.Close()
		n.daemon.Stop()
		if _, err := store.Info(t.Context()); !errdefs.IsUnavailable(err) {
			t.Errorf("what nobody answers is not told as that: %v", err)
		}
		r.run(t) // it finds that nothing answers
		r.await("msg=containerd does not answer")
		if code, text := page(t, address, "/livez"); code != 200 {
			t.Errorf("/livez: %d %s", code, text)
		}
		var status struct {
			Containerd struct{ Up bool }
			State      string
		}
		_, text := page(t, address, "/status")
		n.must(json.Unmarshal([]byte(text), &status))
		if status.Containerd.Up || status.State != "disconnected" {
			t.Errorf("/status: %s", text)
		}
		n.daemon.Up()
		r.await("msg=containerd answers")
		r.run(t)
		r.await("msg=a run ended", "result=done", "removed=1")
		r.signal(syscall.SIGTERM)
		r.ends(0)
	})
}

// waits starts a command that has to wait for another run. It returns when that is
// said; ended awaits its end.
func (n *node) waits(args ...string) (ended func() error) {
	n.Helper()
	cmd := exec.CommandContext(n.Context(), binary, args...)
	said, err := cmd.StderrPipe()
	n.must(err, cmd.Start())
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil || !strings.HasSuffix(line, "; waiting for it\n") {
		n.Errorf("it says %q, %v", line, err)
	}
	return cmd.Wait
}

// Of two residents the second waits and says so; killed, the first is followed at
// once. A command of the moment beside one finds the other run under way, and so
// does a resident.
func TestTwoResidentsAndACommandBeside(t *testing.T) {
	n := newNode(t, daemon.Options{})
	n.images("a", "b")
	n.configure("listen: none")
	g, address := n.proxy()
	first := n.serve(address, false)
	first.await("msg=containerd answers")
	second := n.serve(n.daemon.Address(), false)
	second.await("msg=waiting until another resident ends")

	g.hold(deleteImage, 1)
	first.run(t)
	<-g.reached
	if said := programs.Run(t, nil, binary, "--address", n.daemon.Address(), "--all", "--force"); said.Code != 3 {
		t.Errorf("a command beside a run: %+v", said)
	}
	ended := n.waits("--address", n.daemon.Address(), "--all", "--force", "--wait")
	close(g.goOn)
	first.await("msg=a run ended", "result=done")
	n.must(ended())

	n.images("c", "d")
	g.hold(deleteImage, 1)
	command := programs.Start(t, binary, "--address", address, "--all", "--force")
	<-g.reached
	first.kill()
	second.await("msg=containerd answers")
	second.run(t)
	second.await("msg=a run ended", "trigger=signal", "result=busy", "error=another run is in progress")
	close(g.goOn)
	if code, _ := command.End(); code != 0 {
		t.Errorf("the command ended with %d: %s", code, command.Stderr())
	}
	second.signal(syscall.SIGTERM)
	second.ends(0)
}
