package cri

import (
	"context"
	"path/filepath"
	"strings"

	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// Pod is a sandbox.
type Pod struct {
	n      *Node
	ID     string
	config *runtime.PodSandboxConfig
}

// Pod runs a sandbox in namespace default.
func (n *Node) Pod(name string) *Pod {
	n.tb.Helper()
	pod, err := n.TryPod(n.tb.Context(), name)
	if err != nil {
		n.tb.Fatalf("running pod %s: %v", name, err)
	}
	return pod
}

// Again runs another sandbox of a pod, as for one whose sandbox has ended.
func (p *Pod) Again() *Pod {
	p.n.tb.Helper()
	name, attempt := p.config.GetMetadata().GetName(), p.config.GetMetadata().GetAttempt()+1
	pod, err := p.n.try(p.n.tb.Context(), name, attempt)
	if err != nil {
		p.n.tb.Fatalf("running pod %s, attempt %d: %v", name, attempt, err)
	}
	return pod
}

// TryPod is Pod for pods that may not come to be.
func (n *Node) TryPod(ctx context.Context, name string) (*Pod, error) { return n.try(ctx, name, 0) }

func (n *Node) try(ctx context.Context, name string, attempt uint32) (*Pod, error) {
	config := &runtime.PodSandboxConfig{
		Metadata:     &runtime.PodSandboxMetadata{Name: name, Namespace: "default", Uid: "uid-of-" + name, Attempt: attempt},
		LogDirectory: filepath.Join(n.Dir(), "logs", name),
		Labels: map[string]string{
			"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default", "io.kubernetes.pod.uid": "uid-of-" + name,
		},
		Linux: &runtime.LinuxPodSandboxConfig{
			CgroupParent:    n.CgroupParent("pods"),
			SecurityContext: &runtime.LinuxSandboxSecurityContext{NamespaceOptions: hostNamespaces()},
		},
	}
	answer, err := n.Runtime.RunPodSandbox(ctx, &runtime.RunPodSandboxRequest{Config: config})
	if err != nil {
		return nil, err
	}
	return &Pod{n: n, ID: answer.GetPodSandboxId(), config: config}, nil
}

func hostNamespaces() *runtime.NamespaceOption {
	return &runtime.NamespaceOption{
		Network: runtime.NamespaceMode_NODE, Ipc: runtime.NamespaceMode_NODE, Pid: runtime.NamespaceMode_CONTAINER,
	}
}

// Container is one container of a pod to be made.
type Container struct {
	Name string
	// Image is as the kubelet gives it: a tag, a digest or an image ID.
	Image string
	// Volume is the image of an image volume, mounted at /volume.
	Volume string
	// Exits makes the program end at once.
	Exits bool
}

// Create makes a container and returns its ID.
func (p *Pod) Create(c Container) string {
	p.n.tb.Helper()
	id, err := p.TryCreate(c)
	if err != nil {
		p.n.tb.Fatalf("creating container %s of %q: %v", c.Name, c.Image, err)
	}
	return id
}

// TryCreate is Create for containers that may not come to be.
func (p *Pod) TryCreate(c Container) (string, error) {
	p.n.tb.Helper()
	config := &runtime.ContainerConfig{
		Metadata: &runtime.ContainerMetadata{Name: c.Name},
		Image:    &runtime.ImageSpec{Image: c.Image, UserSpecifiedImage: c.Image},
		Command:  []string{SleeperPath},
		Labels: map[string]string{
			"io.kubernetes.container.name": c.Name,
			"io.kubernetes.pod.name":       p.config.GetMetadata().GetName(),
			"io.kubernetes.pod.namespace":  p.config.GetMetadata().GetNamespace(),
		},
		LogPath: c.Name + ".log",
		Linux: &runtime.LinuxContainerConfig{
			SecurityContext: &runtime.LinuxContainerSecurityContext{NamespaceOptions: hostNamespaces()},
		},
	}
	if c.Exits {
		config.Args = []string{"exit"}
	}
	if c.Volume != "" {
		config.Mounts = []*runtime.Mount{{
			ContainerPath: "/volume", Readonly: true, Image: &runtime.ImageSpec{Image: c.Volume},
		}}
	}
	answer, err := p.n.Runtime.CreateContainer(p.n.tb.Context(), &runtime.CreateContainerRequest{
		PodSandboxId: p.ID, Config: config, SandboxConfig: p.config,
	})
	return answer.GetContainerId(), err
}

// Start starts a container.
func (p *Pod) Start(id string) {
	p.n.tb.Helper()
	_, err := p.n.Runtime.StartContainer(p.n.tb.Context(), &runtime.StartContainerRequest{ContainerId: id})
	if err != nil {
		p.n.tb.Fatalf("starting container %s: %v", id, err)
	}
}

// AwaitExit waits until a container's program has ended.
func (p *Pod) AwaitExit(id string) {
	p.n.tb.Helper()
	p.n.Await("a container to exit", func(ctx context.Context) (bool, error) {
		answer, err := p.n.Runtime.ContainerStatus(ctx, &runtime.ContainerStatusRequest{ContainerId: id})
		return answer.GetStatus().GetState() == runtime.ContainerState_CONTAINER_EXITED, err
	})
}

// Run creates and starts a container.
func (p *Pod) Run(c Container) string {
	p.n.tb.Helper()
	id := p.Create(c)
	p.Start(id)
	return id
}

// RemoveContainer removes one container of the pod.
func (p *Pod) RemoveContainer(id string) {
	p.n.tb.Helper()
	_, err := p.n.Runtime.RemoveContainer(p.n.tb.Context(), &runtime.RemoveContainerRequest{ContainerId: id})
	if err != nil {
		p.n.tb.Fatalf("removing container %s: %v", id, err)
	}
}

// Stop ends a pod; its sandbox stays until it is removed.
func (p *Pod) Stop() {
	p.n.tb.Helper()
	if err := p.n.stopPod(p.ID); err != nil {
		p.n.tb.Fatalf("stopping pod %s: %v", p.config.GetMetadata().GetName(), err)
	}
}

// Remove ends a pod and removes it.
func (p *Pod) Remove() {
	p.n.tb.Helper()
	if err := p.n.removePod(p.ID); err != nil {
		p.n.tb.Fatal(err)
	}
}

// RemovePods ends all pods and removes them.
func (n *Node) RemovePods() {
	n.tb.Helper()
	for _, id := range n.left() {
		if err := n.removePod(id); err != nil {
			n.tb.Fatal(err)
		}
	}
}

func (n *Node) removePod(id string) error {
	if err := n.stopPod(id); err != nil {
		return err
	}
	ctx := context.WithoutCancel(n.tb.Context())
	_, err := n.Runtime.RemovePodSandbox(ctx, &runtime.RemovePodSandboxRequest{PodSandboxId: id})
	return err
}

func (n *Node) stopPod(id string) error {
	ctx := context.WithoutCancel(n.tb.Context())
	stop := &runtime.StopPodSandboxRequest{PodSandboxId: id}
	_, err := n.Runtime.StopPodSandbox(ctx, stop)
	if err != nil && strings.Contains(err.Error(), "ttrpc: closed") {
		// A program has ended by itself, and its shim with it, just as it was
		// told to end. A kubelet tries again, too.
		_, err = n.Runtime.StopPodSandbox(ctx, stop)
	}
	return err
}

// left lists the pods that there are: also one whose maker was cut off before
// it got the answer.
func (n *Node) left() []string {
	n.Ready()
	ctx := context.WithoutCancel(n.tb.Context())
	answer, err := n.Runtime.ListPodSandbox(ctx, &runtime.ListPodSandboxRequest{})
	if err != nil {
		n.tb.Errorf("listing the pods: %v", err)
		return nil
	}
	var ids []string
	for _, pod := range answer.GetItems() {
		ids = append(ids, pod.GetId())
	}
	return ids
}

// cleanup ends what a test left running: shims outlive their containerd.
func (n *Node) cleanup() {
	if !n.Running() {
		n.Up()
	}
	for _, id := range n.left() {
		if err := n.removePod(id); err != nil {
			n.tb.Errorf("removing a pod: %v", err)
		}
	}
	for _, conn := range n.conns {
		// An error here says only that the connection is gone already.
		_ = conn.Close()
	}
}
