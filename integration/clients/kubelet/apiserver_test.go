//go:build cluster

package kubelet_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/cluster"
	plane "github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

// rule allows verbs on resources.
func rule(resource string, verbs ...string) plane.Object {
	return plane.Object{"apiGroups": []string{""}, "verbs": verbs, "resources": []string{resource}}
}

// listed is the options for the API server's list of a node.
func (n *node) listed(token, query string) []string {
	return []string{"--pods", n.Plane.URL + "/api/v1/pods?" + query, "--pods-certificate-authority", n.CA.CertFile, "--pods-token-file", token}
}

// The API server's list of this node's pods is read by an account that may list pods and
// nothing else; with anything that is not that list nothing goes. A resident removes
// what no pod needs, and its event arrives.
func TestAPIServerAsSource(t *testing.T) {
	n := on(t, kubelet.Registered(t))
	ours := "fieldSelector=spec.nodeName%3D" + kubelet.Name
	token := n.rights("resident", rule("pods", "list"), rule("events", "create", "patch"), rule("nodes/configz", "get"))
	nobody := n.rights("nobody", rule("configmaps", "get"))
	n.bind()
	n.image("stray")

	n.wantUnused("debug", "later", "stray")
	n.prune(n.listed(nobody, ours)...).Want(t, 1, "403 Forbidden", "the right to list pods")
	n.prune(n.listed(n.file("bad", "expired"), ours)...).Want(t, 1, "401 Unauthorized")
	n.prune(n.listed(token, "fieldSelector=spec.nodeName%3Dnode-2")...).Want(t, 1, `the list lacks pod "default/`)
	n.prune(n.listed(token, "limit=1")...).Want(t, 1, "only the first page")
	n.Plane.KillAPI()
	n.prune(n.listed(token, ours)...).Want(t, 1, "connection refused")
	n.Plane.StartAPI()
	n.wantImages(n.allBut()...)

	n.marks(token, nobody)
	n.tellsEvents(token, ours)
	n.wantImages(n.allBut("stray")...)
	n.restart("api/main", "next/gate")
}

// rights makes a service account with some rules, and returns a file with its token.
func (n *node) rights(name string, rules ...plane.Object) string {
	n.t.Helper()
	meta := plane.Object{"name": name}
	n.Plane.Create(accounts, plane.Object{"metadata": meta})
	n.Plane.Create(roles, plane.Object{"metadata": meta, "rules": rules})
	n.Plane.Create(bindings, plane.Object{
		"metadata": meta,
		"roleRef":  plane.Object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
		"subjects": []plane.Object{{"kind": "ServiceAccount", "name": name, "namespace": "default"}},
	})
	return n.file("token", n.Plane.Token(name)+"\n")
}

// marks asks the real kubelet for its marks, with and without the right to.
func (n *node) marks(token, nobody string) {
	n.t.Helper()
	access := cluster.Access{URL: strings.TrimSuffix(n.URL(), "/pods"), TokenFile: token, CAFile: n.CA.CertFile}
	got, err := cluster.Kubelet(n.t.Context(), access)
	if want := (cluster.Marks{High: 100, Low: 99, Available: "0%", Inodes: "0%"}); err != nil || got != want {
		n.t.Errorf("the kubelet's marks are %+v, %v, want %+v", got, err, want)
	}
	access.TokenFile = nobody
	if _, err := cluster.Kubelet(n.t.Context(), access); !strings.Contains(fmt.Sprint(err), "403 Forbidden") {
		n.t.Errorf("without the right to: %v", err)
	}
}

// tellsEvents runs a resident until its event has arrived.
func (n *node) tellsEvents(token, query string) {
	n.t.Helper()
	config := n.file("config.yaml", "version: 1\nrules: [{name: all, match: {names: ['**']}, keep: none}]\n"+
		"serve: {every: 2s, namespaces: [k8s.io], events: true, listen: none, state: "+filepath.Join(n.t.TempDir(), "state")+"}\n")
	args := append([]string{"serve", "--config", config, "--address", n.Address(), "--node-name", kubelet.Name, "--docker-host", "/nonexistent"}, n.listed(token, query)...)
	resident := programs.Start(n.t, n.command, args...)
	n.awaitEvent()
	resident.Signal(syscall.SIGTERM)
	if code, signal := resident.End(); code != 0 {
		n.t.Errorf("the resident ended with %d, %v:\n%s", code, signal, resident.Stderr())
	}
}

// awaitEvent waits until the node has the event of a run.
func (n *node) awaitEvent() {
	n.t.Helper()
	n.Await("the event of a run", func(context.Context) (bool, error) {
		list := n.Plane.Get("/api/v1/namespaces/default/events?fieldSelector=reason%3DImagesPruned%2CinvolvedObject.name%3D" + kubelet.Name)
		items, _ := list["items"].([]any)
		return len(items) == 1, nil
	})
}
