package cri_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// command runs the program on a node and returns its exit code and output.
func command(t *testing.T, program string, n *cri.Node, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	r := programs.Run(t, nil, program, append([]string{"--address", n.Address(), "-n", cri.Namespace}, args...)...)
	return r.Code, r.Stdout, r.Stderr
}

func TestCommandOnANode(t *testing.T) {
	program := programs.Build(t)
	n := cri.Start(t, parts.Containerd24)
	n.Pulled("docker.io/library/app", "1")
	n.Pulled("docker.io/library/next", "1")
	unused := n.Pulled("docker.io/library/unused", "1")
	n.Pod("api").Run(cri.Container{Name: "app", Image: "app:1"})
	next := strings.Replace(item("next", "uid-of-next", "next:1"), "Running", "Pending", 1)
	pods := textFile(t, listOf(item("api", "uid-of-api", "app:1"), next))

	code, stdout, stderr := command(t, program, n, "-a", "-f", "--pods", textFile(t, "{}"))
	if code != 1 || !strings.HasSuffix(stdout, "Total reclaimed space: 0B\n") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "not a list of pods") {
		t.Errorf("a file that is no list: exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, _ = command(t, program, n, "-a", "--dry-run", "--no-trunc", "--pods", pods)
	for _, want := range []string{
		"in use by pod default/api, container app", "in use by pod default/next, container main, pending", "docker.io/library/unused:1",
	} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("dry run: exit %d, no %q in %s", code, want, stdout)
		}
	}
	code, stdout, stderr = command(t, program, n, "-a", "-f", "--pods", pods)
	for _, name := range names("docker.io/library/unused", "1", unused) {
		if code != 0 || !strings.Contains(stdout, "Untagged: "+name) {
			t.Errorf("exit %d, no %q in %s%s", code, name, stdout, stderr)
		}
	}
	wantClean(t, n)
	var left []string
	for name := range n.Capture().Namespaces[cri.Namespace].Images {
		if strings.HasSuffix(name, ":1") {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	if want := []string{"docker.io/library/app:1", "docker.io/library/next:1", cri.PauseName}; !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
	if code, _, stderr = command(t, program, n, "-a", "-f", "--pods", textFile(t, "")); code != 1 || !strings.Contains(stderr, "it is empty") {
		t.Errorf("an empty file: exit %d, %q", code, stderr)
	}
	wantSentence(t, program, n)
}

// wantSentence gives the program lists that are not believed, and a word that
// makes it believe one of them.
func wantSentence(t *testing.T, program string, n *cri.Node) {
	t.Helper()
	unsynced := textFile(t, listOf())
	code, stdout, stderr := command(t, program, n, "-a", "-f", "--pods", unsynced, "--pods-may-be-empty")
	if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, `"default/api" (UID "uid-of-api"`) || strings.Contains(stdout, "Untagged") {
		t.Errorf("a pod is missing: exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	n.RemovePods()
	if code, _, stderr = command(t, program, n, "-a", "-f", "--pods", unsynced); code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "--pods-may-be-empty") {
		t.Errorf("an empty list: exit %d, %q", code, stderr)
	}
	code, stdout, stderr = command(t, program, n, "-a", "-f", "--pods", unsynced, "--pods-may-be-empty")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "Untagged: docker.io/library/app:1") {
		t.Errorf("an empty list of nothing: exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
