package model

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/clients/kubelet"
)

// labelWants is at a pod's sandbox: the image that its container will be made
// of. Only the kubelet knows that.
const labelWants = "model/wants"

// podLabels are those that CRI writes at a sandbox.
func podLabels(name, wants string) map[string]string {
	return map[string]string{
		"io.cri-containerd.kind": "sandbox", "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default",
		"io.kubernetes.pod.uid": "uid-of-" + name, labelWants: wants,
	}
}

type kubeletPod map[string]any

// pods are those that have a sandbox, as the kubelet lists them when it knows
// all.
func (m *machine) pods() (list []kubeletPod) {
	for _, c := range m.containers(criSpace) {
		if c.Labels["io.cri-containerd.kind"] != "sandbox" {
			continue
		}
		list = append(list, kubeletPod{
			"metadata": map[string]string{"name": c.ID, "namespace": "default", "uid": "uid-of-" + c.ID},
			"spec":     map[string]any{"containers": []map[string]string{{"name": "app", "image": c.Labels[labelWants]}}},
			"status":   map[string]string{"phase": "Pending"},
		})
	}
	return list
}

// unsynced is a kubelet that knows its pods at once, some time after it was
// asked for the first time, or not at all.
func (m *machine) unsynced() prune.Source {
	file, all := filepath.Join(m.dir, "pods.json"), m.pods()
	write := func(list []kubeletPod) {
		text, err := json.Marshal(map[string]any{"kind": "PodList", "apiVersion": "v1", "items": list})
		m.must(err)
		m.must(os.WriteFile(file, text, 0o600))
	}
	switch uniform(m.t, 4, "knows") {
	case 0:
		write(all)
	case 1:
		write(nil) // its sources have told nothing
	case 2:
		write(all[:uniform(m.t, len(all)+1, "some")])
	case 3: // another node's
		write([]kubeletPod{{"metadata": map[string]string{"name": "web", "namespace": "default", "uid": "of-another-node"}, "spec": map[string]any{}}})
	}
	asks, syncs := 0, 1+uniform(m.t, 6, "knows all after")
	source, err := kubelet.New(file, kubelet.Options{Wait: func(_ context.Context, d time.Duration) error {
		time.Sleep(d)
		if asks++; asks == syncs {
			write(all)
		}
		return nil
	}})
	m.must(err)
	return source
}

// pruneBesideKubelet is a run on a node with a kubelet.
func (m *machine) pruneBesideKubelet() bool {
	if len(m.pods()) == 0 && !m.runPod() {
		return false
	}
	m.rootAdded = false
	m.sources = []prune.Source{m.unsynced()}
	defer func() { m.sources = nil }()
	r := m.newRunOf(everything(), oneIn(m.t, 2, "as a daemon"))
	if len(r.plan.Refused) > 0 {
		m.tally.add("kubelets that were not believed", 1)
	}
	if r.plan.Empty() {
		return true
	}
	r.execute(m.ctx, 0, nil)
	r.finished()
	r.podsHaveTheirImages()
	return true
}

// podsHaveTheirImages sees to it that what pods are about to start is there.
func (r *run) podsHaveTheirImages() {
	m := r.m
	m.t.Helper()
	was, is := withoutCollectible(r.before).Namespaces[criSpace], m.capture().Namespaces[criSpace]
	for _, c := range was.Containers {
		wanted, there := was.Images[c.Labels[labelWants]]
		if there && is.Images[wanted.Name].Target.Digest != wanted.Target.Digest {
			m.errorf("I1: pod %s wants %s, which is gone", c.ID, wanted.Name)
		}
	}
}
