//go:build cluster

package kubelet_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

const (
	// standardState is where the product keeps what it remembers.
	standardState = "/var/lib/ctr-prune"
	// workload is a Deployment whose pod waits in its init container, so that the image that
	// comes next is only known from the list of pods.
	workload = `kubectl apply --filename - <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: workload}
spec:
  selector: {matchLabels: {app: workload}}
  template:
    metadata: {labels: {app: workload}}
    spec:
      terminationGracePeriodSeconds: 1
      initContainers: [{name: gate, image: "gate:1", command: [/sleeper]}]
      containers: [{name: main, image: "later:1", command: [/sleeper]}]
END`
)

// fresh is a node of a cluster with a workload and an image that nobody needs, all a month old, to
// which the product is to be brought.
func fresh(t *testing.T) (*node, *user) {
	t.Helper()
	n := on(t, kubelet.Fresh(t, kubelet.WithConfig(cluster.Object{"imageMaximumGCAge": "9999h"})))
	u := n.user()
	n.load()
	for _, repo := range []string{"gate", "later", "stray"} {
		n.image(repo)
	}
	n.age()
	u.types(workload)
	n.Await("the pod of the workload to be placed and to begin", func(context.Context) (bool, error) {
		return slices.ContainsFunc(n.runningNames(), func(name string) bool {
			return strings.HasPrefix(name, "workload-") && strings.HasSuffix(name, "/gate")
		}), nil
	})
	return n, u
}

// runningNames are the containers that run, by pod and name.
func (n *node) runningNames() (names []string) {
	n.t.Helper()
	for name := range n.running() {
		names = append(names, name)
	}
	return names
}

// docs/kubernetes.md word for word, on the node of a cluster whose controllers make the product's
// pod, whose scheduler places it, and whose kubelet runs it in a network of pods.
func TestInstallation(t *testing.T) {
	n, u := fresh(t)
	n.threeCommands(u)
	n.undone(u)
	n.otherValues(u)
	n.rollsBack(u)
	n.withoutHelm(u)
	n.workloadGoesOn(u)
}

// threeCommands are those of the document. What they install tells at first, and then removes, what
// the chart's policy lets go, and nothing else.
func (n *node) threeCommands(u *user) {
	n.t.Helper()
	commands := document(n.t)
	if len(commands) != 3 {
		n.t.Fatalf("docs/kubernetes.md has these commands: %q", commands)
	}
	notes := u.types(commands[0])
	u.rolledOut()
	n.wantTold(u, commands[1])
	n.wantImages(n.allBut()...)
	u.wantRights("list pods")
	u.wantOnlyFolders()
	n.followNotes(u, notes)

	u.types(commands[2])
	pod := u.rolledOut()
	n.signal(pod, syscall.SIGUSR1) // which asks for a run
	n.wantGone("after the third command")
	n.awaitHistory(u, pod, "planned", "done")
}

// wantOnlyFolders fails the test unless all that the admission of pods has against that of the product,
// below the level privileged, is the folders of the node.
func (u *user) wantOnlyFolders() {
	u.t.Helper()
	said := u.try("kubectl label --dry-run=server --overwrite namespace kube-system pod-security.kubernetes.io/enforce=baseline").Stderr
	var about string
	for line := range strings.Lines(said) {
		if strings.Contains(line, product+"-") {
			_, about, _ = strings.Cut(strings.TrimSpace(line), ": "+product+"-")
		}
	}
	if _, what, _ := strings.Cut(about, ": "); what != "hostPath volumes" {
		u.t.Errorf("against the pod there is %q:\n%s", about, said)
	}
}

// wantTold waits until the log tells of a run, and fails the test unless it tells of the image that
// nobody needs, and of nothing else.
func (n *node) wantTold(u *user, command string) {
	n.t.Helper()
	would := make(map[string]bool)
	n.Await("a run that the log tells of", func(context.Context) (ended bool, err error) {
		for _, l := range logged(n.t, u.types(command)) {
			if l.Msg == "would remove an image" {
				would[l.Image] = true
				if l.Rule != "everything else" || l.Reason == "" {
					n.t.Errorf("the log says %+v", l)
				}
			}
			ended = ended || l.Msg == "a run ended" && l.Result == "planned"
		}
		return ended, nil
	})
	if repos := n.reposOf(would); !slices.Equal(repos, []string{"stray"}) || len(would) != 3 {
		n.t.Errorf("it would remove %v", would)
	}
}

// followNotes types what the chart says after its installation, for this node.
func (n *node) followNotes(u *user, notes string) {
	n.t.Helper()
	says := map[string]string{
		"rollout status": "successfully rolled out", "logs": "a run ended", "history": "planned", "explain": `remove docker.io/library/stray:1: unused, and not kept by rule "everything else"`, "helm upgrade": "",
	}
	pod, typed := u.rolledOut(), 0
	for line := range strings.Lines(notes) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "kubectl ") && !strings.HasPrefix(line, "helm ") {
			continue
		}
		line = strings.NewReplacer("POD", pod, "IMAGE", "docker.io/library/stray:1", "CHART", "deploy/helm/ctr-prune").Replace(line)
		for which, text := range says {
			if strings.Contains(line, which) && which != "helm upgrade" { // which is the third command
				if said := u.types(line); !strings.Contains(said, text) {
					n.t.Errorf("%s says nothing of %q:\n%s", line, text, said)
				}
				typed++
			}
		}
	}
	if typed != len(says)-1 {
		n.t.Errorf("of the notes %d commands were typed:\n%s", typed, notes)
	}
}

// wantGone waits until the image that nobody needs is gone, and fails the test if anything else is.
func (n *node) wantGone(when string) {
	n.t.Helper()
	n.Await("the image that nobody needs to go "+when, func(ctx context.Context) (bool, error) {
		found, err := n.Status(ctx, "docker.io/library/stray:1")
		return found == nil, err
	})
	n.wantImages(n.allBut("stray")...)
	n.wantRecord(productImage, when)
}

// awaitHistory waits until the runs that the node remembers have had these results.
func (n *node) awaitHistory(u *user, pod string, results ...string) {
	n.t.Helper()
	n.Await(fmt.Sprintf("a history of %q", results), func(context.Context) (bool, error) {
		said := u.types("kubectl --namespace kube-system exec " + pod + " -- /ctr-prune history")
		return !slices.ContainsFunc(results, func(result string) bool { return !strings.Contains(said, result) }), nil
	})
}
