package docker

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// The command with an Engine that answers, that does not, and that cannot be
// asked.
func TestCommand(t *testing.T) {
	e := Start(t)
	four(t, e)
	program := programs.Build(t)
	gone := filepath.Join(t.TempDir(), "gone.sock")
	run := func(t *testing.T, code int, env []string, says string, args ...string) {
		t.Helper()
		other := e.Store("default")
		if err := other.Add(t.Context(), imagestore.New(9).Image(imagestore.Spec{Name: "example.com/other:1"})); err != nil {
			t.Fatal(err)
		}
		before := e.Capture()
		got := programs.Run(t, env, program, append([]string{"-a", "-f", "--all-namespaces", "--address", e.Address()}, args...)...)
		if got.Code != code || !strings.Contains(got.Stderr, says) {
			t.Errorf("exit code %d, want %d; stderr %q, want %q", got.Code, code, got.Stderr, says)
		}
		if code == 0 {
			return
		}
		same(t, before, e.Capture(), Namespace)
		if pruned := strings.Contains(got.Stdout, "example.com/other:1"); pruned != (code == 1) {
			t.Errorf("the other namespace: pruned is %v; stdout %q", pruned, got.Stdout)
		}
		if strings.Count(got.Stderr, "\n") != 1 {
			t.Errorf("not one sentence: %q", got.Stderr)
		}
	}
	run(t, 1, nil, "there is no such socket", "--docker-host", gone)
	run(t, 1, []string{"DOCKER_HOST=unix://" + gone}, "there is no such socket")
	run(t, 2, nil, "is not a unix socket", "--docker-host", "tcp://127.0.0.1:2375")
	run(t, 2, nil, "is not an absolute path", "--docker-host", "docker.sock")
	run(t, 2, nil, "--docker-host is empty", "--docker-host", "")
	run(t, 1, nil, "another containerd", "--docker-host", Start(t).Socket())
	run(t, 0, []string{"DOCKER_HOST=unix://" + e.Socket()}, "")
	if names := strings.Join(e.Names(), " "); names != "app:1" {
		t.Errorf("images after the run: %s", names)
	}
	t.Run("root of a stopped containerd", func(t *testing.T) { rootRefuses(t, e, program) })
}

// rootRefuses shows that the files of a stopped containerd do not tell of
// Docker's containers.
func rootRefuses(t *testing.T, e *Engine, program string) {
	e.Image("docker.io/library/unused:1")
	e.StopEngine()
	// Loading an image leaves its archive's index, which containerd would
	// collect when it starts again.
	if err := e.Store(Namespace).Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := e.Capture()
	e.Stop()
	got := programs.Run(t, nil, program, "-a", "-f", "-n", Namespace, "--root", e.Root())
	if got.Code != 1 || !strings.Contains(got.Stderr, "Docker can be asked only while its containerd runs") {
		t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	got = programs.Run(t, nil, program, "-a", "-f", "--root", e.Root(), "--docker-host", e.Socket())
	if got.Code != 2 || !strings.Contains(got.Stderr, "contradict each other") {
		t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	e.Up()
	same(t, before, e.Capture(), Namespace)
	e.StartEngine()
}
