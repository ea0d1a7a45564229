//go:build cluster

package kubelet_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// commandTime bounds a command of a user, of which some wait for the cluster.
const commandTime = 5 * time.Minute

// user types commands into a shell, in the folder of the project, with helm, and with a kubectl that
// reaches the cluster as its administrator.
type user struct {
	t   *testing.T
	env []string
}

func (n *node) user() *user {
	n.t.Helper()
	paths := cluster.Programs(n.t, parts.Helm, parts.Kubectl)
	return &user{n.t, []string{
		"PATH=" + strings.Join([]string{paths.Dir(parts.Helm), paths.Dir(parts.Kubectl), os.Getenv("PATH")}, ":"),
		"HOME=" + n.t.TempDir(),
		"KUBECONFIG=" + n.CA.Kubeconfig(n.Plane.URL, "administrator", "system:masters"),
	}}
}

// try types a line.
func (u *user) try(line string) programs.Result {
	u.t.Helper()
	ctx, cancel := context.WithTimeout(u.t.Context(), commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-euc", line)
	cmd.Env, cmd.Dir = u.env, repository
	return programs.Collect(u.t, cmd)
}

// types types a line that has to work, and returns what it says.
func (u *user) types(line string) string {
	u.t.Helper()
	said := u.try(line)
	if said.Code != 0 {
		u.t.Fatalf("%s: exit code %d\n%s%s", line, said.Code, said.Stdout, said.Stderr)
	}
	return said.Stdout
}

// document returns the commands of the first block of docs/kubernetes.md.
func document(t *testing.T) (commands []string) {
	t.Helper()
	_, block, _ := strings.Cut(text(t, "kubernetes.md"), "```sh\n")
	block, _, _ = strings.Cut(block, "\n```")
	return strings.Split(block, "\n")
}

// inDocument returns the command of its text that begins so.
func inDocument(t *testing.T, begins string) string {
	t.Helper()
	_, rest, _ := strings.Cut(text(t, "kubernetes.md"), "`"+begins)
	rest, _, found := strings.Cut(rest, "`")
	if !found {
		t.Fatalf("docs/kubernetes.md has no command %s", begins)
	}
	return begins + rest
}

// text is that of a document.
func text(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(repository + "/docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// may says whether the account of the chart may do something, as kubectl says.
func (u *user) may(right string) bool {
	u.t.Helper()
	verb, resource, _ := strings.Cut(right, " ")
	resource, sub, _ := strings.Cut(resource, "/")
	line := "kubectl auth can-i " + verb + " " + resource + " --as system:serviceaccount:kube-system:" + product
	if sub != "" {
		line += " --subresource " + sub
	}
	if strings.HasPrefix(right, "create events") || strings.HasPrefix(right, "patch events") {
		line += " --namespace default"
	} else {
		line += " --all-namespaces"
	}
	said := u.try(line)
	answer := strings.TrimSpace(said.Stdout)
	if allowed := said.Code == 0; answer != map[bool]string{true: "yes", false: "no"}[allowed] {
		u.t.Errorf("%s: exit code %d, %q, %s", line, said.Code, answer, said.Stderr)
	}
	return answer == "yes"
}

// wantRights fails the test unless the account may do just these things, of all that is needed by one
// value or the other, and of what could do harm.
func (u *user) wantRights(want ...string) {
	u.t.Helper()
	var got []string
	for _, right := range []string{
		"list pods", "get nodes/pods", "get nodes/configz", "create events", "patch events",
		"get nodes/proxy", "create nodes/proxy", "watch pods", "delete pods", "create pods", "create pods/exec", "get secrets", "list secrets",
		"list nodes", "patch nodes", "create serviceaccounts/token", "impersonate users", "update daemonsets.apps",
	} {
		if u.may(right) {
			got = append(got, right)
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		u.t.Errorf("the account may %q, want %q", got, want)
	}
}

// rolledOut waits until the pods of the product are those of the newest template, and ready, and
// returns the name of that of this node.
func (u *user) rolledOut() (pod string) {
	u.t.Helper()
	u.types("kubectl --namespace kube-system rollout status daemonset/" + product)
	// The one before may still be ending.
	return u.types("kubectl --namespace kube-system get pods --selector app.kubernetes.io/instance=" + product +
		" --sort-by .metadata.creationTimestamp --output jsonpath='{.items[-1:].metadata.name}'")
}

// line is one of the log of the product.
type line struct{ Msg, Image, Rule, Result, Reason, Error string }

// logged are the lines of a log.
func logged(t *testing.T, text string) (all []line) {
	t.Helper()
	for text := range strings.Lines(text) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("a line of the log is %q: %v", text, err)
		}
		all = append(all, l)
	}
	return all
}
