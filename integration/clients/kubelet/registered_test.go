//go:build cluster

package kubelet_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

const (
	roles    = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
	bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
	accounts = "/api/v1/namespaces/default/serviceaccounts"
)

// account makes a service account that may do some verbs on some resources, and
// returns a file with its token.
func (n *node) account(name string, verbs, resources []string) string {
	n.t.Helper()
	meta := cluster.Object{"name": name}
	n.Plane.Create(accounts, cluster.Object{"metadata": meta})
	n.Plane.Create(roles, cluster.Object{"metadata": meta, "rules": []cluster.Object{
		{"apiGroups": []string{""}, "verbs": verbs, "resources": resources},
	}})
	n.Plane.Create(bindings, cluster.Object{
		"metadata": meta,
		"roleRef":  cluster.Object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
		"subjects": []cluster.Object{{"kind": "ServiceAccount", "name": name, "namespace": "default"}},
	})
	return n.file("token", n.Plane.Token(name)+"\n")
}

// file writes a file for the command.
func (n *node) file(name, text string) string {
	n.t.Helper()
	path := filepath.Join(n.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
	return path
}

// secure is the options for the kubelet's list over https with a token.
func (n *node) secure(token string) []string {
	args := []string{"--pods", n.URL(), "--pods-certificate-authority", n.CA.CertFile}
	if token != "" {
		args = append(args, "--pods-token-file", token)
	}
	return args
}

// bind gives the node pods of the cluster: one that runs, and has an ephemeral
// container that is not created, and one whose init container still runs. (An
// ephemeral container that was removed would be started again, at any time.)
func (n *node) bind() {
	n.t.Helper()
	app := n.image("app")
	n.Bind("api", kubelet.Spec{Containers: []kubelet.Container{kubelet.Waits("main", app)}})
	n.Bind("next", kubelet.Spec{
		InitContainers: []kubelet.Container{kubelet.Waits("gate", n.image("gate"))},
		Containers:     []kubelet.Container{kubelet.Waits("main", n.image("later"))},
	})
	n.AwaitContainer("api", "main", "running", runs)
	n.AwaitContainer("next", "gate", "running", runs)
	n.Plane.Patch("/api/v1/namespaces/default/pods/api/ephemeralcontainers", cluster.Object{"spec": cluster.Object{
		"ephemeralContainers": []kubelet.Container{refuses("debug", n.image("debug"))},
	}})
	n.AwaitContainer("api", "debug", "refused", refused)
}

// With the right to get nodes/pods, and nothing else, the list can be read;
// without it nothing goes.
func TestRegisteredKubelet(t *testing.T) {
	n := on(t, kubelet.Registered(t))
	token := n.account("pruner", []string{"get"}, []string{"nodes/pods"})
	other := n.account("other", []string{"list"}, []string{"pods"})
	n.bind()
	n.image("stray")

	n.wantUnused("debug", "later", "stray")
	n.prune(n.secure("")...).Want(t, 1, "401 Unauthorized")
	n.prune(n.secure(n.file("bad", "nobody"))...).Want(t, 1, "401 Unauthorized")
	n.prune(n.secure(other)...).Want(t, 1, "403 Forbidden")
	n.wantImages(n.allBut()...)
	n.prune(n.secure(token)...).Want(t, 0)
	n.wantImages(n.allBut("stray")...)
	n.restart("api/main", "next/gate")

	n.kubeletWithoutAPI(token)
}

// kubeletWithoutAPI restarts the kubelet while the API server is away. It does
// not know of its pods then, although they run, and answers as if it did.
func (n *node) kubeletWithoutAPI(token string) {
	n.t.Helper()
	n.image("stray")
	n.KillKubelet()
	n.Plane.KillAPI()
	n.StartKubelet()
	n.wantClosed(token, 0)

	// With a static pod the list is not even empty.
	n.Static("static", kubelet.Spec{Containers: []kubelet.Container{kubelet.Waits("main", n.image("static"))}})
	n.AwaitContainer("static", "main", "running", runs)
	n.wantClosed(token, 1)
	n.wantEnded()

	n.Plane.StartAPI()
	n.AwaitContainer("api", "main", "running", runs)
	n.AwaitContainer("next", "gate", "running", runs)
	n.prune(n.secure(token)...).Want(n.t, 0)
	n.wantImages(n.allBut("stray")...)
	n.restart("api/main", "next/gate", "static/main")
	n.passes("next", "gate", "main")
}

// wantClosed fails the test unless the kubelet lists that few pods, and nothing
// goes because of that list, whoever asks.
func (n *node) wantClosed(token string, pods int) {
	n.t.Helper()
	n.prune(n.secure(token)...).Want(n.t, 1, "could not list this node's pods")
	n.wantShort(pods)
}

// wantEnded ends all pods while the kubelet is away, too, and fails the test if
// anything goes because of its list, which has those pods again that are static.
func (n *node) wantEnded() {
	n.t.Helper()
	n.KillKubelet()
	n.stopSandboxes()
	n.StartKubelet()
	n.AwaitContainer("static", "main", "running", runs)
	for _, args := range [][]string{{}, {"--pods-may-be-empty"}} {
		n.prune(append(args, "--pods", n.ReadOnlyURL())...).Want(n.t, 1, `the list has no pod of the API server, and lacks pod "default/`, "which has ended here", "try again later")
	}
	n.wantImages(n.allBut()...)
}
