//go:build cluster

package kubelet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

// account makes the account of deploy/kubernetes, with its rights, and returns where its
// binding is and that object.
func (n *node) accountOfProduct() (path string, binding cluster.Object) {
	n.t.Helper()
	text, err := os.ReadFile(manifests)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, o := range cluster.Objects(n.t, text) {
		switch o["kind"] {
		case "ClusterRoleBinding":
			binding = o
			fallthrough
		case "ServiceAccount", "ClusterRole":
			n.Plane.Create(o.Collection(), o)
		}
	}
	return bindings + "/" + product, binding
}

// may asks the API server what a token may do, as kubectl auth can-i does.
func (n *node) may(token, verb, resource string) bool {
	n.t.Helper()
	resource, sub, _ := strings.Cut(resource, "/")
	answer := n.Plane.As(token, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", cluster.Object{"spec": cluster.Object{
		"resourceAttributes": cluster.Object{"verb": verb, "resource": resource, "subresource": sub},
	}})
	allowed, _ := answer.At("status", "allowed").(bool)
	return allowed
}

// told is what a resident's pages say of the list of pods.
type told struct {
	refused string
	errors  float64
}

// ask reads the pages.
func (n *node) ask(ctx context.Context, address string) (t told, err error) {
	var status struct {
		Runs []struct {
			Refused []struct{ Namespace, Reason string }
		}
	}
	text, err := page(ctx, address+"/status")
	if err == nil {
		err = json.Unmarshal(text, &status)
	}
	if err == nil && len(status.Runs) > 0 && len(status.Runs[0].Refused) > 0 {
		t.refused = status.Runs[0].Refused[0].Namespace + ": " + status.Runs[0].Refused[0].Reason
	}
	if err == nil {
		text, err = page(ctx, address+"/metrics")
	}
	_, after, _ := strings.Cut(string(text), `ctr_prune_client_errors_total{client="pods"} `)
	_, _ = fmt.Sscan(after, &t.errors) // 0 if there is none
	if errors.Is(err, syscall.ECONNREFUSED) {
		err = nil // it starts
	}
	return t, err
}

func page(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// A resident with the rights of deploy/kubernetes, and no others, from which the API server
// withholds the list of pods: it leaves the images of pods alone, and its page, its metrics and its log
// say so. With a new token, the rights and the API server it goes on.
func TestAPIServerWithholdsItsList(t *testing.T) {
	n := on(t, kubelet.Registered(t))
	path, binding := n.accountOfProduct()
	n.bind()
	token := n.file("token", n.Plane.Expiring("kube-system", product, 30*time.Second))
	n.wantRights(n.Plane.TokenOf("kube-system", product))

	address := fmt.Sprintf("127.0.0.1:%d", cluster.Ports(t, 1)[0])
	config := n.file("config.yaml", everything+"serve: {every: 1s, namespaces: [k8s.io], listen: '"+address+"', state: "+filepath.Join(t.TempDir(), "state")+"}\n")
	args := []string{"serve", "--config", config, "--address", n.Address(), "--node-name", kubelet.Name, "--docker-host", "/nonexistent"}
	resident := programs.Start(t, n.command, append(args, n.listed(token, "fieldSelector=spec.nodeName%3D"+kubelet.Name)...)...)
	n.awaitPruned("with a token")

	for _, c := range []struct {
		what, says     string
		withhold, give func()
	}{
		{"an expired token", `401 Unauthorized`, func() {}, func() {
			if err := os.WriteFile(token, []byte(n.Plane.TokenOf("kube-system", product)), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"no right", `403 Forbidden`, func() { n.Plane.Delete(path) }, func() { n.Plane.Create(bindings, binding) }},
		{"no API server", `connection refused`, n.Plane.KillAPI, n.Plane.StartAPI},
	} {
		c.withhold()
		var last told
		n.Await(c.what+" to be told", func(ctx context.Context) (bool, error) {
			var err error
			last, err = n.ask(ctx, "http://"+address)
			return strings.Contains(last.refused, c.says), err
		})
		if !strings.HasPrefix(last.refused, "k8s.io: could not list this node's pods from ") || last.errors == 0 {
			t.Errorf("%s: told %+v", c.what, last)
		}
		n.image("stray")
		n.awaitRuns(address, 2)
		n.wantImages(n.allBut()...)
		c.give()
		n.awaitPruned("after " + c.what)
	}
	resident.Signal(syscall.SIGTERM)
	if code, signal := resident.End(); code != 0 {
		t.Errorf("the resident ended with %d, %v", code, signal)
	}
	for _, says := range []string{"401 Unauthorized", "403 Forbidden", "connection refused"} {
		if log := resident.Stderr(); !strings.Contains(log, says) || !strings.Contains(log, "nothing is removed from a namespace") {
			t.Errorf("the log does not say %s:\n%s", says, log)
		}
	}
}

// wantRights fails the test unless a token may list pods, and nothing that could do harm.
func (n *node) wantRights(token string) {
	n.t.Helper()
	if !n.may(token, "list", "pods") {
		n.t.Error("it may not list pods")
	}
	for _, right := range []string{
		"watch pods", "delete pods", "create pods", "create pods/exec", "get nodes/proxy", "create nodes/proxy", "get nodes/pods", "list nodes",
		"get secrets", "list secrets", "create serviceaccounts/token", "create events", "impersonate users",
	} {
		if verb, resource, _ := strings.Cut(right, " "); n.may(token, verb, resource) {
			n.t.Errorf("it may %s", right)
		}
	}
}

// awaitPruned waits until the image that nobody needs is gone, which is made if it is not there.
func (n *node) awaitPruned(when string) {
	n.t.Helper()
	name := "docker.io/library/stray:1"
	if found, err := n.Status(n.t.Context(), name); err != nil || found == nil {
		n.image("stray")
	}
	n.Await("the image that nobody needs to go "+when, func(ctx context.Context) (bool, error) {
		found, err := n.Status(ctx, name)
		return found == nil, err
	})
	n.wantImages(n.allBut("stray")...)
}

// awaitRuns waits until so many runs have begun and ended.
func (n *node) awaitRuns(address string, count int) {
	n.t.Helper()
	newest := func(ctx context.Context) (run string, err error) {
		var status struct{ Runs []struct{ Run string } }
		text, err := page(ctx, "http://"+address+"/status")
		if err == nil {
			err = json.Unmarshal(text, &status)
		}
		if len(status.Runs) > 0 {
			run = status.Runs[0].Run
		}
		return run, err
	}
	last, err := newest(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	n.Await("runs", func(ctx context.Context) (bool, error) {
		run, err := newest(ctx)
		if run != last {
			last = run
			count--
		}
		return count == 0, err
	})
}
