//go:build cluster

package kubelet_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
	"github.com/ctr-prune/ctr-prune/prune"
)

// node is a node with the command, and the images that the test has made.
type node struct {
	*kubelet.Node
	t       *testing.T
	command string
	repos   map[string]string // image ID by repository
}

func on(t *testing.T, n *kubelet.Node) *node {
	return &node{Node: n, t: t, command: programs.Build(t), repos: make(map[string]string)}
}

// image makes an image of CRI's for a pod and returns its name.
func (n *node) image(repo string) string {
	n.t.Helper()
	name := "docker.io/library/" + repo
	n.repos[repo] = n.Pulled(name, "1").Config.Desc.Digest.String()
	return name + ":1"
}

// prune runs the command on the images of pods.
func (n *node) prune(args ...string) programs.Result {
	n.t.Helper()
	return programs.Run(n.t, nil, n.command, append([]string{"-a", "-f", "-n", cri.Namespace, "--address", n.Address()}, args...)...)
}

// wantUnused fails the test unless just these images would go without the
// kubelet's list.
func (n *node) wantUnused(repos ...string) {
	n.t.Helper()
	unused := make(map[string]bool)
	plan := programs.Run(n.t, nil, n.command, "-a", "--dry-run", "-n", cri.Namespace, "--address", n.Address(), "--format", "json").Want(n.t, 0)
	for _, image := range plan.Document(n.t).Images {
		if image.Action != prune.Keep {
			unused[image.Name] = true
		}
	}
	slices.Sort(repos)
	if diff := cmp.Diff(repos, n.reposOf(unused)); diff != "" {
		n.t.Errorf("images that only the kubelet's list needs (-wanted +unused):\n%s", diff)
	}
}

// wantImages fails the test unless just the named images, and the pause image,
// are in the store and in CRI's list.
func (n *node) wantImages(repos ...string) {
	n.t.Helper()
	n.Settle()
	stored := n.wantListed(repos...)
	slices.Sort(repos)
	if diff := cmp.Diff(repos, n.reposOf(stored)); diff != "" {
		n.t.Errorf("images of the test (-wanted +there):\n%s", diff)
	}
}

// wantListed fails the test unless the named images, and the pause image, are in the
// store and in CRI's list, which has nothing that is not there. It returns what is there.
func (n *node) wantListed(repos ...string) map[string]bool {
	n.t.Helper()
	want := map[string]bool{cri.PauseName: true}
	for _, repo := range repos {
		want["docker.io/library/"+repo+":1"] = true
		want[n.repos[repo]] = true
	}
	stored, listed := n.lists()
	for name := range want {
		if !stored[name] || !listed[name] {
			n.t.Errorf("image %s: in the store %v, in CRI's list %v", name, stored[name], listed[name])
		}
	}
	if diff := cmp.Diff(n.reposOf(stored), n.reposOf(listed)); diff != "" {
		n.t.Errorf("CRI's list (-store +CRI):\n%s", diff)
	}
	return stored
}

// lists are the names and IDs that are in the store, and those that CRI lists.
func (n *node) lists() (stored, listed map[string]bool) {
	n.t.Helper()
	stored, listed = make(map[string]bool), make(map[string]bool)
	for name := range n.Capture().Namespaces[cri.Namespace].Images {
		stored[name] = true
	}
	for id, names := range n.Listed() {
		listed[id] = true
		for _, name := range names {
			listed[name] = true
		}
	}
	return stored, listed
}

// reposOf returns the repositories of the test's images among names and IDs.
func (n *node) reposOf(names map[string]bool) []string {
	found := make(map[string]bool)
	for name := range names {
		if repo, ok := strings.CutPrefix(name, "docker.io/library/"); ok {
			found[repo[:strings.IndexAny(repo, ":@")]] = true
		}
		for repo, id := range n.repos {
			if id == name {
				found[repo] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// allBut are the repositories of all images of the test but some.
func (n *node) allBut(gone ...string) []string {
	return slices.DeleteFunc(slices.Collect(maps.Keys(n.repos)), func(repo string) bool { return slices.Contains(gone, repo) })
}

// remove removes a container that has ended, as the kubelet does in time.
func (n *node) remove(pod, container string) {
	n.t.Helper()
	id := n.Pods()[pod].Container(container).ID()
	if _, err := n.Runtime.RemoveContainer(n.t.Context(), &runtime.RemoveContainerRequest{ContainerId: id}); err != nil {
		n.t.Fatalf("removing container %s of pod %s: %v", container, pod, err)
	}
}

// restart ends every pod's sandbox, and waits until these containers, each named
// by its pod and its name, run in other ones. The kubelet may start a container in
// a sandbox that is just being stopped.
func (n *node) restart(containers ...string) {
	n.t.Helper()
	stopped := n.stopSandboxes()
	n.AwaitPods("every pod to run again", func(map[string]kubelet.Pod) bool {
		now := n.running()
		return !slices.ContainsFunc(containers, func(name string) bool {
			c := now[name]
			return c == nil || stopped[c.GetPodSandboxId()]
		})
	})
}

// stopSandboxes ends every pod's sandbox and returns their IDs.
func (n *node) stopSandboxes() map[string]bool {
	n.t.Helper()
	sandboxes, err := n.Runtime.ListPodSandbox(n.t.Context(), &runtime.ListPodSandboxRequest{})
	if err != nil {
		n.t.Fatal(err)
	}
	stopped := make(map[string]bool)
	for _, s := range sandboxes.GetItems() {
		stopped[s.GetId()] = true
		_, err := n.Runtime.StopPodSandbox(n.t.Context(), &runtime.StopPodSandboxRequest{PodSandboxId: s.GetId()})
		if err != nil {
			n.t.Fatal(err)
		}
	}
	return stopped
}

// running is the containers that run, as CRI knows them, by pod and name.
func (n *node) running() map[string]*runtime.Container {
	n.t.Helper()
	answer, err := n.Runtime.ListContainers(n.t.Context(), &runtime.ListContainersRequest{Filter: &runtime.ContainerFilter{
		State: &runtime.ContainerStateValue{State: runtime.ContainerState_CONTAINER_RUNNING},
	}})
	if err != nil {
		n.t.Fatal(err)
	}
	found := make(map[string]*runtime.Container)
	for _, c := range answer.GetContainers() {
		pod := strings.TrimSuffix(c.GetLabels()["io.kubernetes.pod.name"], "-"+kubelet.Name)
		found[pod+"/"+c.GetMetadata().GetName()] = c
	}
	return found
}

func runs(s kubelet.Status) bool     { return s.State.Running != nil }
func ended(s kubelet.Status) bool    { return s.State.Terminated != nil }
func backsOff(s kubelet.Status) bool { return s.Waits("CrashLoopBackOff") }

func refused(s kubelet.Status) bool { return s.Waits("CreateContainerConfigError") }

// passes lets an init container of a pod end, and waits for a container that
// follows it. The init container is told again until then: one that is told before
// its program listens ends with an error, and the kubelet starts another.
func (n *node) passes(pod, gate, next string) {
	n.t.Helper()
	n.AwaitPods("container "+next+" of pod "+pod+" to be running", func(pods map[string]kubelet.Pod) bool {
		if runs(pods[pod].Container(next)) {
			return true
		}
		if c := n.running()[pod+"/"+gate]; c != nil {
			_, err := n.Runtime.StopContainer(n.t.Context(), &runtime.StopContainerRequest{ContainerId: c.GetId(), Timeout: 60})
			if err != nil {
				n.t.Fatalf("stopping container %s of pod %s: %v", gate, pod, err)
			}
		}
		return false
	})
}
