package mixed_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/buildkit"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
)

const (
	// builds is buildkit's namespace, plain nobody's; nerdctl uses default.
	builds = "buildkit"
	plain  = "ci"
	// quiet keeps containerd from collecting on its own after deletions, so that
	// the collections in its log are those that somebody asked for.
	quiet = "[plugins.\"io.containerd.gc.v1.scheduler\"]\n  pause_threshold = 0.0\n" +
		"  deletion_threshold = 1000000\n  mutation_threshold = 1000000\n"
	// pendingPod is the kubelet's list with the pod that runs and one that has no
	// container yet.
	pendingPod = `{"kind":"PodList","apiVersion":"v1","items":[{
		"metadata":{"name":"api","namespace":"default","uid":"uid-of-api"}, "status":{"phase":"Running"},
		"spec":{"containers":[{"name":"app","image":"app:1"}]}}, {
		"metadata":{"name":"next","namespace":"default","uid":"uid-of-next"}, "status":{"phase":"Pending"},
		"spec":{"containers":[{"name":"main","image":"next:1"}]}}]}`
)

// everyone is all namespaces of a node with images in them.
var everyone = []string{builds, plain, "default", cri.Namespace, docker.Namespace}

// node is the mixed node.
type node struct {
	*cri.Node
	t       *testing.T
	engine  *docker.Engine
	builder *buildkit.Builder
	images  *imagestore.Builder
	// context is a folder to build, pods a file that lists a pending pod.
	context, pods, program string
}

func start(t *testing.T) *node {
	t.Helper()
	n := &node{t: t, Node: cri.Start(t, parts.Containerd24), images: imagestore.New(23), program: programs.Build(t)}
	n.Restart(func(o *daemon.Options) { o.LogLevel, o.Config = "trace", quiet })
	n.Ready()
	n.engine = docker.On(t, n.Daemon)
	n.builder = buildkit.On(t, n.Daemon, builds)
	n.pods = podsFile(t, pendingPod)
	n.context = t.TempDir()
	for name, text := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY program /program\nCOPY data /data\nRUN [\"/program\", \"exit\"]\n",
		"program":    string(programs.Sleeper(t)),
		"data":       "1",
	} {
		n.write(name, text)
	}
	return n
}

// podsFile writes what the kubelet would answer.
func podsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pods.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// write puts a file into the folder to build.
func (n *node) write(name, text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.context, name), []byte(text), 0o755); err != nil {
		n.t.Fatal(err)
	}
}

// rebuilt builds the folder and returns the steps that were not cached.
func (n *node) rebuilt(name string) (ran []string) {
	n.t.Helper()
	for _, s := range n.builder.Build(n.context, name) {
		if !s.Cached && strings.HasPrefix(s.Name, "[") && !strings.HasPrefix(s.Name, "[internal]") {
			ran = append(ran, s.Name)
		}
	}
	n.builder.Settle()
	return ran
}

// add makes an image of its own and puts it into a namespace.
func (n *node) add(namespace string, names ...string) *imagestore.Image {
	n.t.Helper()
	img := n.images.Image(imagestore.Spec{Layers: 2, LayerBytes: 16 << 10})
	n.put(namespace, img, names...)
	return img
}

func (n *node) put(namespace string, img *imagestore.Image, names ...string) {
	n.t.Helper()
	if err := n.Store(namespace).Add(n.t.Context(), img, names...); err != nil {
		n.t.Fatal(err)
	}
}

// collect takes away what is garbage already: loading into Docker leaves the
// archive's index behind.
func (n *node) collect() {
	n.t.Helper()
	if err := n.Store(plain).Collect(n.t.Context()); err != nil {
		n.t.Fatal(err)
	}
}

// collections counts those that containerd's log tells of.
func (n *node) collections() int {
	n.t.Helper()
	log, err := os.ReadFile(n.LogFile())
	if err != nil {
		n.t.Fatal(err)
	}
	return strings.Count(string(log), `msg="garbage collected"`)
}

// call runs the program on all namespaces.
func (n *node) call(args ...string) programs.Result {
	n.t.Helper()
	return programs.Run(n.t, nil, n.program, append(args, "--address", n.Address(), "--all-namespaces")...)
}
