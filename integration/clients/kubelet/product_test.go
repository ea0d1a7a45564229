//go:build cluster

package kubelet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/distribution/reference"
	"go.yaml.in/yaml/v3"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

const (
	repository = "../../.."
	manifests  = repository + "/deploy/kubernetes/ctr-prune.yaml"
	product    = "ctr-prune"
	release    = "VERSION=v0.1.0"
	// everything is what the product is to remove: its own image, and those of sandboxes,
	// are in use, and not protected by name.
	everything = "version: 1\nrules: [{name: all, match: {names: ['**']}, keep: none}]\n"
)

// load imports the image as make image-load does.
func (n *node) load() {
	n.t.Helper()
	load := exec.CommandContext(n.t.Context(), "make", "--no-print-directory", "image-load", release, "ADDRESS="+n.Address())
	load.Dir = repository
	if said, err := load.CombinedOutput(); err != nil {
		n.t.Fatalf("make image-load: %v\n%s", err, said)
	}
	n.Settle()
}

// manifests are deploy/kubernetes with a policy, without the dry run, and with the paths of this
// containerd.
func (n *node) manifests(policy string) []cluster.Object {
	n.t.Helper()
	text, err := os.ReadFile(manifests)
	if err != nil {
		n.t.Fatal(err)
	}
	all := cluster.Objects(n.t, []byte(strings.NewReplacer(
		"/run/containerd/containerd.sock", n.Address(), "/run/containerd", filepath.Dir(n.Address()), "/var/lib/containerd", n.Root(),
		"/var/lib/ctr-prune", n.state(), "9745", n.port(), "            - --dry-run\n", "",
	).Replace(string(text))))
	for _, o := range all {
		if o["kind"] == "ConfigMap" {
			o["data"] = cluster.Object{"config.yaml": n.withPolicy(o.At("data", "config.yaml").(string), policy)}
		}
	}
	return all
}

// deploy creates objects, and the pod that a DaemonSet's controller makes of their template for this
// node. It has the network of the machine, because no network of pods is here.
func (n *node) deploy(objects []cluster.Object) {
	n.t.Helper()
	for _, o := range objects {
		n.Plane.Create(o.Collection(), o)
	}
	template, _ := n.Plane.Get("/apis/apps/v1/namespaces/kube-system/daemonsets/"+product).At("spec", "template").(map[string]any)
	pod := cluster.Object{"kind": "Pod", "apiVersion": "v1", "metadata": template["metadata"], "spec": template["spec"]}
	pod.At("metadata").(map[string]any)["name"] = product
	spec := pod.At("spec").(map[string]any)
	spec["nodeName"], spec["hostNetwork"] = kubelet.Name, true
	n.Plane.Create("/api/v1/namespaces/kube-system/pods", pod)
}

// withPolicy is the chart's configuration with another policy, and runs all the time.
func (n *node) withPolicy(config, policy string) string {
	n.t.Helper()
	var theirs, all map[string]any
	if err := yaml.Unmarshal([]byte(config), &theirs); err != nil {
		n.t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(policy), &all); err != nil {
		n.t.Fatal(err)
	}
	serve := theirs["serve"].(map[string]any)
	delete(serve, "jitter")
	serve["every"] = "1s"
	all["serve"] = serve
	text, err := yaml.Marshal(all)
	if err != nil {
		n.t.Fatal(err)
	}
	return string(text)
}

// state is where the product keeps what it remembers.
func (n *node) state() string { return filepath.Join(n.Dir(), "kubelet", "state-of-product") }

// port is where it listens.
func (n *node) port() string {
	n.t.Helper()
	if n.listens == 0 {
		n.listens = cluster.Ports(n.t, 1)[0]
	}
	return fmt.Sprint(n.listens)
}

// awaitProduct waits until it runs and is ready, and returns its container.
func (n *node) awaitProduct() kubelet.Status {
	n.t.Helper()
	n.AwaitContainer(product, product, "ready", func(s kubelet.Status) bool { return runs(s) && s.Ready })
	return n.Pods()[product].Container(product)
}

// wantPruned makes an image that nobody needs, and waits until it is gone. Everything else
// that the test has made is there, the image of the product itself, too.
func (n *node) wantPruned(after string) {
	n.t.Helper()
	name := n.image("stray")
	n.Await("the image that nobody needs to go, "+after, func(ctx context.Context) (bool, error) {
		found, err := n.Status(ctx, name)
		return found == nil, err
	})
	n.wantImages(n.allBut("stray")...)
	n.wantRecord(productImage, after)
}

const productImage = "ghcr.io/ctr-prune/ctr-prune:v0.1.0"

// wantRecord fails the test unless an image is in the store, and CRI knows it.
func (n *node) wantRecord(name, after string) {
	n.t.Helper()
	_, stored := n.Capture().Namespaces[cri.Namespace].Images[name]
	if found, err := n.Status(n.t.Context(), name); !stored || found == nil || err != nil {
		n.t.Errorf("%s: %s is in the store: %v, in CRI: %v, %v", after, name, stored, found, err)
	}
}

// killProduct ends it by SIGKILL.
func (n *node) killProduct() {
	n.t.Helper()
	answer, err := n.Runtime.ContainerStatus(n.t.Context(), &runtime.ContainerStatusRequest{ContainerId: n.Pods()[product].Container(product).ID(), Verbose: true})
	var info struct{ PID int }
	if err == nil {
		err = json.Unmarshal([]byte(answer.GetInfo()["info"]), &info)
	}
	if err == nil && info.PID < 2 {
		err = fmt.Errorf("its process is %d", info.PID)
	}
	if err == nil {
		err = syscall.Kill(info.PID, syscall.SIGKILL)
	}
	if err != nil {
		n.t.Fatalf("killing the product: %v", err)
	}
}

// The product as a pod, as deploy/kubernetes has it: it prunes its node with the rights and the
// mounts that it has there, never itself nor the image of sandboxes, and goes on after
// whatever is restarted.
func TestProductAsPod(t *testing.T) {
	n := on(t, kubelet.Registered(t))
	n.bind()
	n.load()
	n.deploy(n.manifests(everything))
	first := n.awaitProduct()
	n.wantPruned("at first")

	n.Restart()
	n.Ready()
	n.wantPruned("after a restart of containerd")
	n.KillKubelet()
	n.StartKubelet()
	n.wantPruned("after a restart of the kubelet")
	if s := n.awaitProduct(); s.ContainerID != first.ContainerID {
		t.Errorf("the container is %+v, and was %+v: it did not survive", s, first)
	}
	n.killProduct()
	n.AwaitContainer(product, product, "started again", func(s kubelet.Status) bool { return runs(s) && s.RestartCount == 1 })
	n.wantPruned("after its own end")

	n.wantPausesStay()
	n.restart("api/main", "next/gate", product+"/"+product)
	n.wantPruned("after all pods were restarted")
}

// The chart with other values, rendered by the real helm: it reads patterns from a ConfigMap that
// is mounted below that of its policy, and its events arrive.
func TestChartAsPod(t *testing.T) {
	n := on(t, kubelet.Registered(t))
	n.bind()
	n.image("kept")
	n.load()
	n.Plane.Create("/api/v1/namespaces/kube-system/configmaps", cluster.Object{
		"metadata": cluster.Object{"name": "workloads"}, "data": cluster.Object{"all.txt": "docker.io/library/kept:1\n"},
	})
	n.deploy(n.rendered(cluster.Object{
		"dryRun": false, "events": true, "protectConfigMaps": []string{"workloads"},
		"containerd": cluster.Object{"socket": n.Address(), "root": n.Root()},
		"state":      cluster.Object{"hostPath": n.state()},
		"metrics":    cluster.Object{"port": json.Number(n.port())},
		"config": cluster.Object{
			"rules": []cluster.Object{{"name": "all", "match": cluster.Object{"names": []string{"**"}}, "keep": "none"}}, "protect": nil, "minAge": nil, "fuse": nil, "disk": nil,
			"serve": cluster.Object{"every": "1s", "jitter": nil},
		},
	}))
	n.awaitProduct()
	n.wantPruned("as helm renders the chart")
	n.awaitEvent()
	n.exec("schedule   done", "history", "--state", n.state())
	n.exec("protected by the policy's pattern docker.io/library/kept:1", "explain", "--policy", "/etc/ctr-prune/config.yaml", "-n", cri.Namespace, "--address", n.Address(), "docker.io/library/kept:1")
	n.restart("api/main", "next/gate", product+"/"+product)
}

// exec runs the command in the pod, as the NOTES of the chart say, and fails the test unless it says
// something.
func (n *node) exec(says string, args ...string) {
	n.t.Helper()
	id := n.Pods()[product].Container(product).ID()
	answer, err := n.Runtime.ExecSync(n.t.Context(), &runtime.ExecSyncRequest{ContainerId: id, Cmd: append([]string{"/ctr-prune"}, args...), Timeout: 60})
	if err != nil || answer.GetExitCode() != 0 || !strings.Contains(string(answer.GetStdout()), says) {
		n.t.Errorf("%q in the pod: exit code %d, %v\n%s%s", args, answer.GetExitCode(), err, answer.GetStdout(), answer.GetStderr())
	}
}

// rendered is what helm makes of the chart.
func (n *node) rendered(values cluster.Object) []cluster.Object {
	n.t.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		n.t.Fatal(err)
	}
	helm := cluster.Programs(n.t, parts.Helm).Bin(parts.Helm, "helm")
	cmd := exec.CommandContext(n.t.Context(), helm, "template", product, repository+"/deploy/helm/ctr-prune", "--namespace", "kube-system", "--values", n.file("values.json", string(text)))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + n.t.TempDir()}
	rendered, err := cmd.Output()
	if err != nil {
		n.t.Fatalf("helm template: %v\n%s", err, rendered)
	}
	return cluster.Objects(n.t, rendered)
}

// wantPausesStay lets CRI's configuration name one image of sandboxes after the other, none of
// which a pod uses, in ways in which CRI does not find them to label them, and with the label of
// CRI's and without. A pod can be run with each afterwards.
func (n *node) wantPausesStay() {
	n.t.Helper()
	for i, spelled := range []string{"localhost/tag-left-out/pause", "short/pause:7", "registry.example/by-digest/pause@", "registry.example/both/pause:8@"} {
		for label, value := range map[string]string{"labelled": "pinned", "unlabelled": ""} {
			program := append(programs.Sleeper(n.t), byte(i), byte(len(label))) // another image each time
			img := n.Builder.Program(imagestore.Spec{}, cri.SleeperPath, program)
			name := spelled
			if strings.HasSuffix(spelled, "@") {
				name += img.Target.Digest.String()
			}
			ref, err := reference.ParseDockerRef(name)
			if err != nil {
				n.t.Fatal(err)
			}
			n.ConfigurePause(name)
			n.Add(img, ref.String())
			labels := map[string]string{imagestore.LabelPinned: value}
			if err := n.Store(cri.Namespace).Label(n.t.Context(), ref.String(), labels); err != nil {
				n.t.Fatal(err)
			}
			what := "as CRI's image of sandboxes is named " + name + ", " + label
			n.wantPruned(what)
			n.wantRecord(ref.String(), what)
			pod := fmt.Sprintf("after-%d-%s", i, label)
			n.Bind(pod, kubelet.Spec{Containers: []kubelet.Container{kubelet.Waits("main", "docker.io/library/app:1")}})
			n.AwaitContainer(pod, "main", "running", runs)
		}
	}
}
