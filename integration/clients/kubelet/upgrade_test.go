//go:build cluster

package kubelet_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

// otherValues lets the product ask the kubelet for pods and for its marks, and tell of runs, which it
// does all the time.
func (n *node) otherValues(u *user) {
	n.t.Helper()
	values, err := json.Marshal(cluster.Object{
		"dryRun": false, "events": true, "kubeletCheck": true, "pods": cluster.Object{"source": "kubelet"},
		"config": cluster.Object{
			"rules":   []cluster.Object{{"name": "all", "match": cluster.Object{"names": []string{"**"}}, "keep": "none"}},
			"protect": nil, "minAge": nil, "fuse": nil, "disk": nil, "serve": cluster.Object{"every": "1s", "jitter": nil},
		},
	})
	if err != nil {
		n.t.Fatal(err)
	}
	u.types("helm upgrade ctr-prune deploy/helm/ctr-prune --namespace kube-system --values " + n.file("values.json", string(values)))
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

// rollsBack goes back to earlier versions, by kubectl and by helm, beside a release that is tried,
// and removes the product in the end. What the node remembers stays all the time.
func (n *node) rollsBack(u *user) {
	n.t.Helper()
	u.types("kubectl --namespace kube-system rollout undo daemonset/" + product)
	n.awaitHistory(u, u.rolledOut(), "planned", "done")

	u.types(strings.Replace(inDocument(n.t, "helm install ctr-prune-try …"), "…", "deploy/helm/ctr-prune --namespace kube-system", 1))
	u.types("kubectl --namespace kube-system rollout status daemonset/ctr-prune-try")

	u.types("helm rollback ctr-prune 1 --namespace kube-system")
	pod := u.rolledOut()
	n.awaitHistory(u, pod, "planned", "done")
	u.wantRights("list pods")
	if said := u.types("kubectl --namespace kube-system get pod " + pod + " --output yaml"); !strings.Contains(said, "- --dry-run\n") {
		n.t.Errorf("after the rollback it is no dry run:\n%s", said)
	}

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
	pod := u.rolledOut()
	if said := u.types("kubectl --namespace kube-system get pod " + pod + " --output yaml"); strings.Contains(said, "--dry-run") {
		n.t.Errorf("it is a dry run still:\n%s", said)
	}
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
