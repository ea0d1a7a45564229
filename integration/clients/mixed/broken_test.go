package mixed_test

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
)

const (
	criExtension = "io.cri-containerd.container.metadata"
	mountViews   = "nerdctl/image-mount-snapshots"
)

// closing is a client whose word is missing or cannot be understood.
type closing struct {
	name string
	// says is what the sentence about each namespace that closes contains.
	says map[string]string
	// docker and pods replace the socket and the file, if set.
	docker, pods string
	// damage breaks something and returns what repairs it.
	damage func(n *node) (repair func())
}

// Each client is broken in turn, and two at once: its namespace is left as it
// is, with one sentence, the others are pruned, and the exit code tells.
func TestBrokenClientsOnAMixedNode(t *testing.T) {
	n := start(t)
	n.fill()
	gone := filepath.Join(t.TempDir(), "gone.sock")
	// What a kubelet lists until it has heard of its pods.
	unsynced := podsFile(t, `{"kind":"PodList","apiVersion":"v1","metadata":{},"items":null}`)
	garbled := podsFile(t, `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":`)
	for _, c := range []closing{
		{name: "Docker's socket is gone", docker: gone, says: map[string]string{docker.Namespace: "there is no such socket"}},
		{name: "Docker's list is cut short", docker: n.engine.Behind(t, halfAList),
			says: map[string]string{docker.Namespace: "its answer cannot be parsed"}},
		{name: "the kubelet's file is garbled", pods: garbled,
			says: map[string]string{cri.Namespace: "it ends in the middle of the list"}},
		{name: "the kubelet does not know its pods yet", pods: unsynced,
			says: map[string]string{cri.Namespace: `lacks pod "default/api" (UID "uid-of-api", sandbox `}},
		{name: "what CRI says of a container does not decode", damage: damageCRI,
			says: map[string]string{cri.Namespace: "the CRI metadata of container"}},
		{name: "what nerdctl says of a container does not decode", damage: damageNerdctl,
			says: map[string]string{"default": "label " + mountViews + " of container"}},
		{name: "Docker and the kubelet at once", docker: gone, pods: garbled,
			says: map[string]string{docker.Namespace: "there is no such socket", cri.Namespace: "it ends in the middle of the list"}},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, n) })
	}
}

func (c closing) test(t *testing.T, n *node) {
	defer func(all *testing.T) { n.t = all }(n.t)
	n.t = t
	if c.damage != nil {
		defer c.damage(n)()
	}
	if c.docker == "" {
		c.docker = n.engine.Socket()
	}
	if c.pods == "" {
		c.pods = n.pods
	}
	n.unused()
	before := n.Capture()
	got := n.call("-a", "-f", "--docker-host", c.docker, "--pods", c.pods)
	after := n.Capture()

	n.harmless(before, after)
	c.wantSentences(t, got)
	for _, namespace := range everyone {
		_, closed := c.says[namespace]
		if closed {
			same(t, before, after, namespace)
		}
		if left := slices.Contains(n.records()[namespace], "docker.io/library/unused:1"); left != closed {
			t.Errorf("namespace %s: the unused image is left: %v, want %v", namespace, left, closed)
		}
	}
	if freed := bytesOf(before) - bytesOf(after); freed <= 0 {
		t.Errorf("the disk gave back %d bytes", freed)
	}
}

// wantSentences wants one line about each namespace that closes, and no other.
func (c closing) wantSentences(t *testing.T, got programs.Result) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(got.Stderr, "\n"), "\n")
	if got.Code != 1 || len(lines) != len(c.says) {
		t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	for namespace, says := range c.says {
		about := func(line string) bool {
			return strings.Contains(line, `"`+namespace+`"`) && strings.Contains(line, says)
		}
		if !slices.ContainsFunc(lines, about) {
			t.Errorf("no line about %q says %q: %q", namespace, says, lines)
		}
	}
}

// damageCRI cuts off what CRI has noted of a pod's container.
func damageCRI(n *node) func() {
	s := n.Store(cri.Namespace)
	ctx := s.Context(context.WithoutCancel(n.t.Context()))
	list, err := s.Client.ContainerService().List(ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(c containers.Container) bool { return c.Extensions[criExtension] != nil })
	if i < 0 {
		n.t.Fatal("no container of a pod")
	}
	whole := list[i].Extensions[criExtension]
	set := func(value []byte) {
		extension := &anypb.Any{TypeUrl: whole.GetTypeUrl(), Value: value}
		changed := containers.Container{ID: list[i].ID, Extensions: map[string]typeurl.Any{criExtension: extension}}
		if _, err := s.Client.ContainerService().Update(ctx, changed, "extensions."+criExtension); err != nil {
			n.t.Fatal(err)
		}
	}
	set(whole.GetValue()[:len(whole.GetValue())/2])
	return func() { set(whole.GetValue()) }
}

// damageNerdctl cuts off what nerdctl has noted of a container's mounts.
func damageNerdctl(n *node) func() {
	n.label("default", "1f00", mountViews, `["a`)
	return func() { n.label("default", "1f00", mountViews, "[]") }
}

// halfAList cuts the list of containers off.
var halfAList docker.Fault = func(w http.ResponseWriter, _ *http.Request, path string, answer []byte) {
	if path == "/containers/json" {
		answer = answer[:len(answer)/2]
	}
	_, _ = w.Write(answer) // a client that is gone is none of the test's business
}
