package kubelet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/apart"
	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/service"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// Name is the name of the node.
const Name = "node-1"

// Node is a containerd with CRI and a kubelet that belong to one test. Its
// methods fail the test on errors.
type Node struct {
	*cri.Node
	// CA issued the certificates that the kubelet accepts. Its own is issued by
	// it only on a node of a cluster: otherwise the kubelet makes one.
	CA *cluster.Authority
	// Plane is the control plane, if the node is registered with one.
	Plane *cluster.Plane

	tb      testing.TB
	program string
	ports   []int
	mount   func(root string) error
	changed cluster.Object // of the kubelet's configuration
	pods    string         // how the network of pods is made, "" if there is none
	flags   []string
	service *service.Service
}

// Option is what differs on a node.
type Option func(*Node)

// WithDisk gives containerd a disk of its own, which mount mounts at its root.
func WithDisk(mount func(root string) error) Option { return func(n *Node) { n.mount = mount } }

// WithConfig changes fields of the kubelet's configuration.
func WithConfig(fields cluster.Object) Option { return func(n *Node) { n.changed = fields } }

// Standalone starts a node whose kubelet runs static pods and knows of no API
// server.
func Standalone(tb testing.TB, options ...Option) *Node {
	tb.Helper()
	n := create(tb, options)
	n.CA = cluster.NewAuthority(tb, n.dir("pki"))
	n.start()
	return n
}

// Registered starts a control plane, and a node whose kubelet is registered
// with it.
func Registered(tb testing.TB, options ...Option) *Node {
	tb.Helper()
	n := create(tb, options)
	n.Plane = cluster.Start(tb, n.dir("plane"))
	n.register()
	return n
}

// register starts a kubelet that belongs to the control plane.
func (n *Node) register() {
	n.tb.Helper()
	n.CA = n.Plane.CA
	n.flags = []string{"--kubeconfig", n.CA.Kubeconfig(n.Plane.URL, "system:node:"+Name, "system:nodes")}
	n.start()
}

// Fresh starts a cluster with all that one has, of this node, on which everything is where it
// is on any node, and pods have a network, in which the name of the node is known. Nothing leads
// to the addresses of services but that of the API server.
func Fresh(tb testing.TB, options ...Option) *Node {
	tb.Helper()
	n := create(tb, append(options, withNetwork))
	n.serveNames()
	n.Plane = cluster.StartWhole(tb, n.dir("plane"), apart.Services())
	n.register()
	return n
}

func create(tb testing.TB, options []Option) *Node {
	tb.Helper()
	tb.Cleanup(removeDefaultGroup) // when the daemon's own cleanup is over
	n := &Node{tb: tb, ports: cluster.Ports(tb, 2)}
	for _, o := range options {
		o(n)
	}
	n.Node = cri.Start(tb, parts.Containerd24, func(o *daemon.Options) {
		o.Mount, o.Config, o.Standard = n.mount, n.pods, n.pods != ""
	})
	n.program = cluster.Programs(tb, parts.Kubelet).Bin(parts.Kubelet, "kubelet")
	n.dir("manifests")
	return n
}

// removeDefaultGroup removes the cgroup in which containerd puts containers of
// pods that have none of their own. Only an empty one can be: another containerd
// may have it, too.
func removeDefaultGroup() {
	for _, pattern := range []string{"/sys/fs/cgroup/" + cri.Namespace, "/sys/fs/cgroup/*/" + cri.Namespace} {
		groups, _ := filepath.Glob(pattern) // the pattern is correct
		for _, group := range groups {
			_ = syscall.Rmdir(group)
		}
	}
}

// dir is a folder of the kubelet's, which goes with containerd's.
func (n *Node) dir(name string) string {
	n.tb.Helper()
	dir := filepath.Join(n.Dir(), "kubelet", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		n.tb.Fatal(err)
	}
	return dir
}

func (n *Node) start() {
	n.tb.Helper()
	n.flags = append(n.flags,
		"--config", n.write("config.json", n.config()),
		"--hostname-override", Name, "--node-ip", apart.Address,
		"--root-dir", n.dir("root"), "--cert-dir", n.dir("certs"),
	)
	n.service = service.Start(n.tb, "kubelet", filepath.Join(n.dir(""), "log"), func() *exec.Cmd {
		return exec.Command(n.program, n.flags...)
	}, n.ready)
}

// ready says whether the kubelet answers: with an empty list, perhaps.
func (n *Node) ready(ctx context.Context) error {
	_, err := n.list(ctx)
	return err
}

// KillKubelet ends the kubelet, so that it can put nothing in order. The pods go on.
func (n *Node) KillKubelet() { n.tb.Helper(); n.service.Kill() }

// StartKubelet starts the kubelet again and waits until it answers, which is
// before it has heard of its pods.
func (n *Node) StartKubelet() { n.tb.Helper(); n.service.Up(n.ready) }

// ExpectAPI lets the kubelet, when it is started again, expect its pods from an
// API server that does not answer.
func (n *Node) ExpectAPI() {
	n.tb.Helper()
	n.flags = append(n.flags, "--kubeconfig", n.CA.Kubeconfig(fmt.Sprintf("https://127.0.0.1:%d", cluster.Ports(n.tb, 1)[0]), "system:node:"+Name, "system:nodes"))
}

// Static gives the kubelet a static pod.
func (n *Node) Static(name string, spec Spec) {
	n.tb.Helper()
	text := n.write("next", manifest(name, spec))
	if err := os.Rename(text, n.manifestFile(name)); err != nil { // whole, or not at all
		n.tb.Fatal(err)
	}
}

// RemoveStatic takes a static pod away, if it is there.
func (n *Node) RemoveStatic(name string) {
	n.tb.Helper()
	if err := os.Remove(n.manifestFile(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
		n.tb.Fatal(err)
	}
}

func (n *Node) manifestFile(name string) string {
	return filepath.Join(n.dir("manifests"), name+".json")
}

// Bind creates a pod in the cluster that is bound to this node.
func (n *Node) Bind(name string, spec Spec) {
	n.tb.Helper()
	spec.NodeName = Name
	n.Plane.Create("/api/v1/namespaces/default/pods", manifest(name, spec))
}
