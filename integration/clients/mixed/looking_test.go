package mixed_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
)

// bystander is an Engine whose containerd also has images for pods, for the
// commands that only look.
type bystander struct {
	*docker.Engine
	t       *testing.T
	program string
}

// call runs the program on a namespace with Docker at a socket and wants an
// exit code.
func (b bystander) call(code int, socket, namespace string, args ...string) programs.Result {
	b.t.Helper()
	all := append(args, "--address", b.Address(), "-n", namespace, "--docker-host", socket)
	got := programs.Run(b.t, nil, b.program, all...)
	if got.Code != code {
		b.t.Errorf("%q: exit code %d, want %d: %s", args, got.Code, code, got.Stderr)
	}
	return got
}

// wants fails the test unless a text has all parts.
func (b bystander) wants(text string, parts ...string) {
	b.t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			b.t.Errorf("no %q in:\n%s", part, text)
		}
	}
}

// Every command that tells what a prune would do asks Docker and the kubelet
// as the prune itself does, and says so where it cannot.
func TestCommandsThatLookAskTheClients(t *testing.T) {
	b := bystander{docker.Start(t), t, programs.Build(t)}
	b.Image("docker.io/library/app:1")
	b.Create("brave_curie", "app:1")
	b.Image("docker.io/library/unused:1")
	gone := filepath.Join(t.TempDir(), "gone.sock")
	const inUse, closed = "in use by Docker container brave_curie, created", "there is no such socket"

	t.Run("df", func(t *testing.T) {
		b.t = t
		if got := b.unused(b.Socket()); !slices.Equal(got, []string{"docker.io/library/unused:1"}) {
			t.Errorf("df finds unused: %q", got)
		}
		if got := b.unused(gone); len(got) != 0 {
			t.Errorf("without Docker df finds unused: %q", got)
		}
	})
	t.Run("explain", func(t *testing.T) {
		b.t = t
		b.wants(b.call(0, b.Socket(), docker.Namespace, "explain", "-a", "app:1").Stdout, inUse)
		b.wants(b.call(0, gone, docker.Namespace, "explain", "-a", "unused:1").Stdout, closed)
	})
	t.Run("plan and apply", func(t *testing.T) {
		b.t = t
		file := filepath.Join(t.TempDir(), "plan.json")
		b.wants(b.call(0, b.Socket(), docker.Namespace, "plan", "-a").Stdout, inUse)
		b.call(0, b.Socket(), docker.Namespace, "plan", "-a", "-o", file)
		b.wants(b.call(1, gone, docker.Namespace, "plan", "-a").Stderr, closed)
		apply := []string{"apply", "--dry-run", "--address", b.Address(), file, "--docker-host"}
		blind := programs.Run(t, nil, b.program, append(apply, gone)...)
		if blind.Code != 1 || !strings.Contains(blind.Stderr, closed) {
			t.Errorf("apply without Docker: %+v", blind)
		}
		if seeing := programs.Run(t, nil, b.program, append(apply, b.Socket())...); seeing.Code != 0 || !strings.Contains(seeing.Stdout, "unused:1") {
			t.Errorf("apply: %+v", seeing)
		}
	})
	t.Run("pods", func(t *testing.T) { b.t = t; b.pods() })
}

// unused lists what df finds unused in Docker's namespace.
func (b bystander) unused(socket string) (names []string) {
	b.t.Helper()
	var doc struct {
		Images []struct {
			Names  []string
			Unused bool
		}
	}
	out := b.call(0, socket, docker.Namespace, "df", "--format", "json").Stdout
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		b.t.Fatalf("%v in %s", err, out)
	}
	for _, i := range doc.Images {
		if i.Unused {
			names = append(names, i.Names...)
		}
	}
	if len(doc.Images) < 2 {
		b.t.Errorf("df lists %+v", doc.Images)
	}
	return names
}

// pods lets the kubelet tell of a pod that has no container yet.
func (b bystander) pods() {
	next := imagestore.New(31).Image(imagestore.Spec{Name: "docker.io/library/next:1"})
	if err := b.Store(cri.Namespace).Add(b.t.Context(), next); err != nil {
		b.t.Fatal(err)
	}
	const pending = "in use by pod default/next, container main, pending"
	pods := podsFile(b.t, pendingPod)
	for _, command := range [][]string{{"explain", "-a", "next:1"}, {"plan", "-a"}, {"df", "--format", "json"}} {
		with := append(slices.Clone(command), "--pods", pods)
		b.wants(b.call(0, b.Socket(), cri.Namespace, with...).Stdout, pending)
		if out := b.call(0, b.Socket(), cri.Namespace, command...).Stdout; strings.Contains(out, pending) {
			b.t.Errorf("nobody told of the pod: %s", out)
		}
	}
}
