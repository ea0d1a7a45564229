//go:build cluster

package kubelet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/distribution/reference"
	"go.yaml.in/yaml/v3"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
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

// deploy creates the objects of deploy/kubernetes with a policy, and without the dry run. The
// controllers and the scheduler do the rest.
func (n *node) deploy(policy string) {
	n.t.Helper()
	text, err := os.ReadFile(manifests)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, o := range cluster.Objects(n.t, []byte(strings.Replace(string(text), "            - --dry-run\n", "", 1))) {
		if o["kind"] == "ConfigMap" {
			o["data"] = cluster.Object{"config.yaml": n.withPolicy(o.At("data", "config.yaml").(string), policy)}
		}
		n.Plane.Create(o.Collection(), o)
	}
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

// awaitProduct waits until its pod is there, runs and is ready, and returns its name and its
// container.
func (n *node) awaitProduct() (pod string, container kubelet.Status) {
	n.t.Helper()
	n.AwaitPods("the product to be ready", func(pods map[string]kubelet.Pod) bool {
		for name, p := range pods {
			if strings.HasPrefix(name, product+"-") {
				pod, container = name, p.Container(product)
			}
		}
		return runs(container) && container.Ready
	})
	return pod, container
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

// The product as a pod, as deploy/kubernetes has it: it prunes its node with the rights and the
// mounts that it has there, never itself nor the image of sandboxes, and goes on after
// whatever is restarted.
func TestProductAsPod(t *testing.T) {
	n := on(t, kubelet.Fresh(t))
	n.bind()
	n.load()
	n.deploy(everything)
	pod, first := n.awaitProduct()
	n.wantPruned("at first")

	n.Restart()
	n.Ready()
	n.wantPruned("after a restart of containerd")
	n.KillKubelet()
	n.StartKubelet()
	n.wantPruned("after a restart of the kubelet")
	if _, s := n.awaitProduct(); s.ContainerID != first.ContainerID {
		t.Errorf("the container is %+v, and was %+v: it did not survive", s, first)
	}
	n.signal(pod, syscall.SIGKILL)
	n.AwaitContainer(pod, product, "started again", func(s kubelet.Status) bool { return runs(s) && s.RestartCount == 1 })
	n.wantPruned("after its own end")

	n.wantPausesStay()
	n.restart("api/main", "next/gate", pod+"/"+product)
	n.wantPruned("after all pods were restarted")
}

// signal sends a signal to the product.
func (n *node) signal(pod string, s syscall.Signal) {
	n.t.Helper()
	answer, err := n.Runtime.ContainerStatus(n.t.Context(), &runtime.ContainerStatusRequest{ContainerId: n.Pods()[pod].Container(product).ID(), Verbose: true})
	var info struct{ PID int }
	if err == nil {
		err = json.Unmarshal([]byte(answer.GetInfo()["info"]), &info)
	}
	if err == nil && info.PID < 2 {
		err = fmt.Errorf("its process is %d", info.PID)
	}
	if err == nil {
		err = syscall.Kill(info.PID, s)
	}
	if err != nil {
		n.t.Fatalf("sending %v to pod %s: %v", s, pod, err)
	}
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
