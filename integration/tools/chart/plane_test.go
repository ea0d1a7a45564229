//go:build deploy && cluster

package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// site is a real API server, and helm that installs into it.
type site struct {
	*testing.T
	plane      *cluster.Plane
	kubeconfig string
	admin      *http.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	p := cluster.Start(t, filepath.Join(t.TempDir(), "plane"))
	return &site{t, p, p.CA.Kubeconfig(p.URL, "helm", "system:masters"), p.CA.Client("looker", "system:masters")}
}

func (s *site) helm(args ...string) {
	s.Helper()
	paths, err := parts.Ensure(s.Context(), parts.Helm)
	if err != nil {
		s.Fatal(err)
	}
	cmd := exec.CommandContext(s.Context(), paths.Bin(parts.Helm, "helm"), append(args, "--kubeconfig", s.kubeconfig)...)
	cmd.Env, cmd.Dir = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.TempDir()}, "../../.." // where docs/kubernetes.md is read
	if said, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, said)
	}
}

// get is an object, nil if there is none.
func (s *site) get(path string) object {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.plane.URL+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	response, err := s.admin.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode == http.StatusNotFound {
		return nil
	}
	var o object
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&o); err != nil || response.StatusCode != http.StatusOK {
		s.Fatalf("%s: %s %s", path, response.Status, text)
	}
	return o
}

// may asks the API server whether the service account of the chart may do something, in
// all namespaces if none is given.
func (s *site) may(verb, resource, namespace string) bool {
	s.Helper()
	resource, sub, _ := strings.Cut(resource, "/")
	answer := s.plane.Create("/apis/authorization.k8s.io/v1/subjectaccessreviews", cluster.Object{"spec": cluster.Object{
		"user": "system:serviceaccount:kube-system:ctr-prune", "groups": []string{"system:serviceaccounts", "system:authenticated"},
		"resourceAttributes": cluster.Object{"verb": verb, "resource": resource, "subresource": sub, "namespace": namespace},
	}})
	status, _ := answer["status"].(map[string]any)
	allowed, _ := status["allowed"].(bool)
	return allowed
}

const daemons = "/apis/apps/v1/namespaces/kube-system/daemonsets/ctr-prune"

// args are those of the program now.
func (s *site) args() string {
	s.Helper()
	container := at[[]any](s.T, s.get(daemons), "spec", "template", "spec", "containers")[0].(object)
	return fmt.Sprint(container["args"])
}

// The commands of helm in docs/kubernetes.md, as they stand there, on a real API server:
// the account may do what each source needs and nothing else; an upgrade and a rollback
// change what they are to change, and the removal leaves nothing.
func TestChartOnAnAPIServer(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(doc), "```sh\n")
	block, _, _ = strings.Cut(block, "```")
	var commands [][]string
	for line := range strings.Lines(block) {
		if fields := strings.Fields(line); fields[0] == "helm" {
			commands = append(commands, fields[1:])
		}
	}
	if len(commands) != 2 {
		t.Fatalf("docs/kubernetes.md installs by %v", commands)
	}
	s := newSite(t)
	s.helm(commands[0]...)
	if args := s.args(); !strings.Contains(args, "--dry-run") {
		t.Errorf("it is no dry run at first: %s", args)
	}
	s.wantRights("list pods")
	s.helm(commands[1]...)
	if args := s.args(); strings.Contains(args, "--dry-run") {
		t.Errorf("it is a dry run still: %s", args)
	}
	for source, rights := range map[string]string{"kubelet": "get nodes/pods", "none": ""} {
		s.helm("upgrade", "ctr-prune", "deploy/helm/ctr-prune", "--namespace", "kube-system", "--reuse-values", "--set", "pods.source="+source)
		s.wantRights(rights)
	}
	s.helm("rollback", "ctr-prune", "1", "--namespace", "kube-system")
	if args := s.args(); !strings.Contains(args, "--dry-run") {
		t.Errorf("after the rollback it is no dry run: %s", args)
	}
	s.wantRights("list pods")
	s.helm("uninstall", "ctr-prune", "--namespace", "kube-system")
	if left := s.get(daemons); left != nil {
		t.Errorf("left is %v", left)
	}
	s.wantRights("")
}

// wantRights fails the test unless the account may do one thing, and nothing that could do
// harm.
func (s *site) wantRights(want string) {
	s.Helper()
	var got []string
	for _, right := range []string{
		"list pods", "get nodes/pods", "get nodes/configz", "get nodes/proxy", "create nodes/proxy", "watch pods", "delete pods", "create pods", "create pods/exec",
		"get secrets", "list secrets", "get configmaps", "list nodes", "patch nodes", "create events", "impersonate users",
	} {
		verb, resource, _ := strings.Cut(right, " ")
		if s.may(verb, resource, "") {
			got = append(got, right)
		}
	}
	if strings.Join(got, ", ") != want {
		s.Errorf("the account may %v, want %q", got, want)
	}
}
