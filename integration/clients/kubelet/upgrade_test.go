//go:build cluster

package kubelet_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

// otherValues lets the product ask the kubelet for pods and for its marks, tell of runs, which it does
// all the time, and keep what a workload of the cluster needs that has no pod.
func (n *node) otherValues(u *user) {
	n.t.Helper()
	n.image("needed")
	u.types("kubectl create deployment asleep --image needed:1 --replicas 0")
	n.needs(u)
	values, err := json.Marshal(cluster.Object{
		"dryRun": false, "events": true, "kubeletCheck": true, "pods": cluster.Object{"source": "kubelet"}, "protectConfigMaps": []string{"ctr-prune-workloads"},
		"config": cluster.Object{
			"rules":   []cluster.Object{{"name": "all", "match": cluster.Object{"names": []string{"**"}}, "keep": "none"}},
			"protect": nil, "minAge": nil, "fuse": nil, "disk": nil, "serve": cluster.Object{"every": "1s", "jitter": nil},
		},
	})
	if err != nil {
		n.t.Fatal(err)
	}
	upgrade := "helm upgrade ctr-prune deploy/helm/ctr-prune --namespace kube-system --values " + n.file("values.json", string(values))
	if said := u.try(upgrade); said.Code == 0 || !strings.Contains(said.Stderr, "conflict") {
		n.t.Errorf("after kubectl rollout undo helm upgrades all the same: %+v", said)
	}
	u.types(upgrade + " --force-conflicts")
	pod := u.rolledOut()
	n.wantPruned("as the kubelet lists pods")
	u.wantRights("get nodes/pods", "get nodes/configz", "create events", "patch events")

	const events = "kubectl get events --namespace default --field-selector reason=ImagesPruned,involvedObject.kind=Node,involvedObject.name=" + kubelet.Name
	n.Await("the event of a run", func(context.Context) (bool, error) {
		return strings.Contains(u.types(events), "removed 3 image names"), nil
	})
	if said := u.types("kubectl describe node " + kubelet.Name); !strings.Contains(said, "ImagesPruned") {
		n.t.Errorf("kubectl describe node does not show the event:\n%s", said)
	}
	n.awaitMarks(u, pod)
	n.awaitPage(u, pod)
}

// needs makes a ConfigMap of what the workloads need, as docs/policy.md says.
func (n *node) needs(u *user) {
	n.t.Helper()
	_, block, _ := strings.Cut(text(n.t, "policy.md"), "```console\n$ kubectl get ")
	block, _, found := strings.Cut("$ kubectl get "+block, "\n```")
	if !found {
		n.t.Fatal("docs/policy.md does not say how to ask for workloads")
	}
	folder := n.t.TempDir()
	for line := range strings.Lines(block) {
		u.types("cd " + folder + " && PATH=" + filepath.Dir(n.command) + ":$PATH && " + strings.TrimPrefix(line, "$ "))
	}
}

// awaitPage waits for the page of the product, which it shows to who is let to its pod by the
// cluster.
func (n *node) awaitPage(u *user, pod string) {
	n.t.Helper()
	programs.Start(n.t, "sh", "-c", strings.Join(u.env, " ")+" exec kubectl --namespace kube-system port-forward "+pod+" 9745")
	n.Await("the page of the product", func(ctx context.Context) (bool, error) {
		said, err := page(ctx, "http://localhost:9745/")
		if errors.Is(err, syscall.ECONNREFUSED) {
			return false, nil // not forwarded yet
		}
		return strings.Contains(string(said), "docker.io/library/needed"), err
	})
}

// awaitMarks waits until the product knows the kubelet's marks, which it reads from within its pod.
func (n *node) awaitMarks(u *user, pod string) {
	n.t.Helper()
	var status struct {
		Kubelet *struct {
			Conflicts []string
			Error     string
		}
	}
	n.Await("the kubelet's marks", func(context.Context) (bool, error) {
		err := json.Unmarshal([]byte(u.types("kubectl get --raw /api/v1/namespaces/kube-system/pods/"+pod+":9745/proxy/status")), &status)
		return status.Kubelet != nil, err
	})
	if got := *status.Kubelet; got.Error != "" || len(got.Conflicts) != 1 || !strings.Contains(got.Conflicts[0], "imageMaximumGCAge") {
		n.t.Errorf("of the kubelet it knows %+v", got)
	}
}

// undone goes back to the dry run by kubectl. The policy is not in what that changes.
func (n *node) undone(u *user) {
	n.t.Helper()
	u.types("kubectl --namespace kube-system rollout undo daemonset/" + product)
	pod := u.rolledOut()
	n.awaitHistory(u, pod, "planned", "done")
	u.wantDryRun(pod, true)
}

// wantDryRun fails the test unless a pod removes nothing, or does.
func (u *user) wantDryRun(pod string, want bool) {
	u.t.Helper()
	said := u.types("kubectl --namespace kube-system get pod " + pod + " --output yaml")
	if strings.Contains(said, "- --dry-run\n") != want {
		u.t.Errorf("it is no dry run, or one, want %v:\n%s", want, said)
	}
}

// rollsBack goes back to the first version by helm, beside a release that is tried, and removes
// both in the end. What the node remembers stays all the time.
func (n *node) rollsBack(u *user) {
	n.t.Helper()
	u.types(strings.Replace(inDocument(n.t, "helm install ctr-prune-try …"), "…", "deploy/helm/ctr-prune --namespace kube-system", 1))
	u.types("kubectl --namespace kube-system rollout status daemonset/ctr-prune-try")

	u.types("helm rollback ctr-prune 1 --namespace kube-system")
	pod := u.rolledOut()
	n.awaitHistory(u, pod, "planned", "done")
	u.wantRights("list pods")
	u.wantDryRun(pod, true)

	u.types(inDocument(n.t, "helm uninstall "))
	u.types("helm uninstall ctr-prune-try --namespace kube-system")
	u.types("kubectl --namespace kube-system wait --for=delete pod --all --timeout 2m")
	u.wantRights()
	n.wantRemembered()
}

// wantRemembered fails the test unless the node still knows since when use has been watched.
func (n *node) wantRemembered() {
	n.t.Helper()
	files, err := filepath.Glob(standardState + "/*/use.json")
	if err != nil || len(files) != 1 {
		n.t.Fatalf("the node remembers %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	var use struct{ Since time.Time }
	if err == nil {
		err = json.Unmarshal(text, &use)
	}
	if err != nil || time.Since(use.Since) < month {
		n.t.Errorf("use has been watched since %s, %v", use.Since, err)
	}
}

// withoutHelm installs what is rendered of the chart, as the document says.
func (n *node) withoutHelm(u *user) {
	n.t.Helper()
	apply := inDocument(n.t, "kubectl apply -f deploy/")
	u.types(apply)
	u.rolledOut()
	u.wantRights("list pods")
	n.awaitHistory(u, u.rolledOut(), "planned", "done")

	command, file, _ := strings.Cut(apply, " -f ")
	u.types("sed '/- --dry-run$/d' " + file + " | " + command + " -f -")
	u.wantDryRun(u.rolledOut(), false)
}

// workloadGoesOn moves the workload to a new pod, with the images that are left.
func (n *node) workloadGoesOn(u *user) {
	n.t.Helper()
	u.types("kubectl rollout restart deployment/workload")
	var pod string
	n.Await("another pod of the workload", func(context.Context) (bool, error) {
		pod = u.types("kubectl get pods --selector app=workload --sort-by .metadata.creationTimestamp --output jsonpath='{.items[-1:].metadata.name}'")
		return n.running()[pod+"/gate"] != nil, nil
	})
	n.passes(pod, "gate", "main")
	u.types("kubectl rollout status deployment/workload")
}
