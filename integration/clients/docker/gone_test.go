package docker

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/docker"
)

// Where an Engine cannot start any more, whoever says so can prune. What it left
// in containerd still tells which images its containers need: if it starts one
// day, these start, too.
func TestDockerGone(t *testing.T) {
	e := Start(t)
	e.Image("docker.io/library/app:1")
	for _, name := range []string{"created", "stopped"} {
		e.Create(name, "app:1")
	}
	e.StartContainer("stopped")
	e.StopContainer("stopped")
	e.Image("docker.io/library/unused:1")
	t.Run("not while it runs", func(t *testing.T) {
		got := programs.Run(t, nil, programs.Build(t), "-a", "-f", "-n", Namespace, "--address", e.Address(), "--docker-gone")
		if got.Code != 1 || !strings.Contains(got.Stderr, "it is said that Docker is gone, but") {
			t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
		}
	})
	e.StopEngine()
	machine := fstest.MapFS{"proc/1/comm": {Data: []byte("init\n")}}
	gone := func(prune.Store) []prune.Source { return []prune.Source{docker.Gone(machine, e.Socket())} }
	e.Stop() // containerd, too: as with --root
	store, err := prune.OpenRoot(t.Context(), e.Root())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	planned, err := prune.ReadPlan(t.Context(), store, pruning.All(Namespace), time.Now(), prune.ReadOptions{Sources: gone(store)})
	if err != nil {
		t.Fatal(err)
	}
	if refused := prune.PlanDocument(planned).Refused; len(refused) > 0 {
		t.Errorf("with --root: %v", refused)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	e.Up()
	report := pruning.Run(t, e.Address(), pruning.All(Namespace), gone, nil)
	if doc := prune.ReportDocument(report); len(doc.Refused)+len(doc.Errors) > 0 || len(doc.Untagged) != 2 || doc.Counts.StandIn != 1 {
		t.Errorf("refused %v, failed %v, untagged %v", doc.Refused, doc.Errors, doc.Untagged)
	}
	e.StartEngine()
	for _, name := range []string{"created", "stopped"} {
		e.StartContainer(name)
	}
}

// An Engine that keeps its images itself has none in containerd: there is
// nothing to decide, and nothing to fail for.
func TestEngineWithoutImagesInContainerd(t *testing.T) {
	e := StartClassic(t)
	e.Import("docker.io/library/app:1")
	e.Run("running", "app:1")
	if err := e.Store("default").Add(t.Context(), imagestore.New(9).Image(imagestore.Spec{Name: "example.com/other:1"})); err != nil {
		t.Fatal(err)
	}
	program := programs.Build(t)
	for _, env := range [][]string{{"DOCKER_HOST=unix://" + e.Socket()}, nil} {
		got := programs.Run(t, env, program, "-a", "-f", "--all-namespaces", "--address", e.Address())
		if got.Code != 0 || !strings.Contains(got.Stderr+got.Stdout, `namespace "moby" has no images, so Docker was not asked about it`) {
			t.Errorf("exit code %d, stderr %q, stdout %q", got.Code, got.Stderr, got.Stdout)
		}
	}
}
