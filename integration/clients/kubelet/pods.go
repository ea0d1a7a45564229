package kubelet

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// Spec is the specification of a pod, in the fields that the tests need.
type Spec struct {
	NodeName       string      `json:"nodeName,omitempty"`
	HostNetwork    bool        `json:"hostNetwork"`
	HostIPC        bool        `json:"hostIPC"`
	InitContainers []Container `json:"initContainers,omitempty"`
	Containers     []Container `json:"containers"`
	Volumes        []Volume    `json:"volumes,omitempty"`
	// Grace is how long a container may take to end.
	Grace    int64 `json:"terminationGracePeriodSeconds"`
	Accounts bool  `json:"automountServiceAccountToken"`
}

// Container is a container of a specification.
type Container struct {
	Name            string          `json:"name"`
	Image           string          `json:"image"`
	Pull            string          `json:"imagePullPolicy"`
	Command         []string        `json:"command"`
	Mounts          []Mount         `json:"volumeMounts,omitempty"`
	SecurityContext *cluster.Object `json:"securityContext,omitempty"`
}

// Volume is a volume of a specification.
type Volume struct {
	Name     string          `json:"name"`
	Image    *cluster.Object `json:"image,omitempty"`
	HostPath *cluster.Object `json:"hostPath,omitempty"`
}

// Mount says where a container has a volume.
type Mount struct {
	Name string `json:"name"`
	Path string `json:"mountPath"`
}

// Waits is a container that runs until it is told to end. Its image is never
// pulled.
func Waits(name, image string) Container {
	return Container{Name: name, Image: image, Pull: "Never", Command: []string{cri.SleeperPath}}
}

// Exits is a container that ends at once.
func Exits(name, image string) Container {
	c := Waits(name, image)
	c.Command = append(c.Command, "exit")
	return c
}

// WithVolume is a container with a volume.
func (c Container) WithVolume(name string) Container {
	c.Mounts = append(c.Mounts, Mount{name, "/" + name})
	return c
}

// ImageVolume is a volume with what is in an image, which is never pulled.
func ImageVolume(name, image string) Volume {
	return Volume{Name: name, Image: &cluster.Object{"reference": image, "pullPolicy": "Never"}}
}

// Folder is a volume with a folder of the machine, which has to be there.
func Folder(name, path string) Volume {
	return Volume{Name: name, HostPath: &cluster.Object{"path": path, "type": "Directory"}}
}

// manifest is a pod in namespace default.
func manifest(name string, spec Spec) cluster.Object {
	spec.HostNetwork, spec.HostIPC, spec.Grace = true, true, 1
	return cluster.Object{
		"kind": "Pod", "apiVersion": "v1",
		"metadata": cluster.Object{"name": name, "namespace": "default"}, "spec": spec,
	}
}

// Pod is a pod as the kubelet lists it.
type Pod struct {
	Metadata struct{ Name string }
	Status   struct {
		Phase                                                                string
		InitContainerStatuses, ContainerStatuses, EphemeralContainerStatuses []Status
	}
}

// Status is how the kubelet sees a container of a pod.
type Status struct {
	Name, ContainerID string
	Ready             bool
	RestartCount      int
	State             struct {
		Waiting    *struct{ Reason string }
		Running    *struct{}
		Terminated *struct{}
	}
}

// Container returns a container of the pod. It is waiting if the kubelet does
// not list it.
func (p Pod) Container(name string) Status {
	for _, list := range [][]Status{p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses} {
		for _, s := range list {
			if s.Name == name {
				return s
			}
		}
	}
	return Status{}
}

// ID is that of the container for CRI, if there is one.
func (s Status) ID() string {
	_, id, _ := strings.Cut(s.ContainerID, "://")
	return id
}

// Waits says whether a container waits for that reason.
func (s Status) Waits(reason string) bool {
	return s.State.Waiting != nil && s.State.Waiting.Reason == reason
}

// Pods returns what the kubelet lists, by name. A static pod's name there ends
// with that of the node, which is left out.
func (n *Node) Pods() map[string]Pod {
	n.tb.Helper()
	pods, err := n.list(n.tb.Context())
	if err != nil {
		n.tb.Fatal(err)
	}
	return pods
}

func (n *Node) list(ctx context.Context) (map[string]Pod, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.ReadOnlyURL(), nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var list struct{ Items []Pod }
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the kubelet answers %s", answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		return nil, fmt.Errorf("decoding the kubelet's list: %w", err)
	}
	pods := make(map[string]Pod)
	for _, p := range list.Items {
		pods[strings.TrimSuffix(p.Metadata.Name, "-"+Name)] = p
	}
	return pods, nil
}

// AwaitPods waits until the kubelet's list is as wanted.
func (n *Node) AwaitPods(what string, wanted func(map[string]Pod) bool) {
	n.tb.Helper()
	var last map[string]Pod
	defer func() {
		if n.tb.Failed() {
			n.tb.Logf("the kubelet's list: %+v", last)
		}
	}()
	n.Await(what, func(ctx context.Context) (bool, error) {
		pods, err := n.list(ctx)
		last = pods
		return err == nil && wanted(pods), err
	})
}

// AwaitContainer waits until a container of a pod is as wanted.
func (n *Node) AwaitContainer(pod, container, what string, wanted func(Status) bool) {
	n.tb.Helper()
	n.AwaitPods("container "+container+" of pod "+pod+" to be "+what, func(pods map[string]Pod) bool {
		p, listed := pods[pod]
		return listed && wanted(p.Container(container))
	})
}
