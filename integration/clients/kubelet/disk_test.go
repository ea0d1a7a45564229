//go:build cluster

package kubelet_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

const (
	diskBytes = 512 << 20
	// high and low are our marks; from evicts on the kubelet makes room at once.
	high, low = 70, 50
	evicts    = 92
	// gcHigh and gcLow are the kubelet's marks for its collection.
	gcHigh, gcLow = 85, 80
	// largeBytes is a layer of an image that fills the disk, smallBytes of one that fills it up to a
	// mark.
	largeBytes, smallBytes = 16 << 20, 2 << 20
)

// onDisk gives containerd a loop disk, which the kubelet watches as on any node.
func onDisk(t *testing.T) []kubelet.Option {
	paths, err := parts.Ensure(t.Context(), parts.E2fsprogs)
	if err != nil {
		t.Fatal(err)
	}
	mount := func(root string) error {
		image := filepath.Join(filepath.Dir(root), "disk.img")
		return errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, diskBytes),
			// Layers are made of this machine's files, which may be small and many.
			exec.Command(paths.Bin(parts.E2fsprogs, "mkfs.ext4"), "-q", "-m", "0", "-N", "131072", "-I", "128", image).Run(),
			exec.Command("mount", "-o", "loop", image, root).Run())
	}
	const never = "0%"
	return []kubelet.Option{kubelet.WithDisk(mount), kubelet.WithConfig(cluster.Object{
		"localStorageCapacityIsolation": true, // without it no disk is looked at
		"imageGCHighThresholdPercent":   gcHigh, "imageGCLowThresholdPercent": gcLow, "imageMinimumGCAge": "1ns",
		"evictionPressureTransitionPeriod": "1s",
		"evictionHard": cluster.Object{
			"memory.available": never, "nodefs.available": never, "nodefs.inodesFree": never, "imagefs.inodesFree": never,
			"imagefs.available": fmt.Sprintf("%d%%", 100-evicts),
		},
	})}
}

// used is how much of the disk is in use, as the kubelet counts.
func (n *node) used() int {
	n.t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(n.Root(), &s); err != nil {
		n.t.Fatal(err)
	}
	return 100 - int(s.Bavail*100/s.Blocks)
}

// metric is the sum of what the kubelet counts, 0 if it has counted nothing.
func (n *node) metric(name string, labels ...string) (sum float64) {
	n.t.Helper()
	answer, err := http.Get(strings.TrimSuffix(n.ReadOnlyURL(), "/pods") + "/metrics")
	if err != nil {
		n.t.Fatal(err)
	}
	defer answer.Body.Close()
	for scanner := bufio.NewScanner(answer.Body); scanner.Scan(); {
		series, value, _ := strings.Cut(scanner.Text(), " ")
		matches := series == name || strings.HasPrefix(series, name+"{")
		for _, label := range labels {
			matches = matches && strings.Contains(series, label)
		}
		if number, err := strconv.ParseFloat(value, 64); matches && err == nil {
			sum += number
		}
	}
	if answer.StatusCode != http.StatusOK {
		n.t.Fatalf("the kubelet's metrics: %s", answer.Status)
	}
	return sum
}

const collected = "kubelet_image_garbage_collected_total"

// wantIdle fails the test if the kubelet had anything to do because of the disk.
func (n *node) wantIdle() {
	n.t.Helper()
	for _, name := range []string{collected, "kubelet_evictions"} {
		if count := n.metric(name); count != 0 {
			n.t.Errorf("%s is %v", name, count)
		}
	}
	for name, pod := range n.Pods() {
		if pod.Status.Phase == "Failed" {
			n.t.Errorf("pod %s has failed", name)
		}
	}
	n.wantNoErrors()
}

// wantNoErrors fails the test if the kubelet wanted to remove an image that was not there.
func (n *node) wantNoErrors() {
	n.t.Helper()
	if count := n.metric("kubelet_runtime_operations_errors_total", `operation_type="remove_image"`); count != 0 {
		n.t.Errorf("the kubelet could not remove %v images", count)
	}
}

// large makes an image that takes a part of the disk, as one that was pulled.
func (n *node) large(repo string, layer int) {
	n.t.Helper()
	img := n.Builder.Image(imagestore.Spec{Base: n.Base, Layers: 1, LayerBytes: layer})
	n.Add(img, imagestore.CRINames("docker.io/library/"+repo, "1", img)...)
	n.repos[repo] = img.Config.Desc.Digest.String()
}

// beside starts a resident for the disk, and returns it and where its page is.
func (n *node) beside(pods []string) (*programs.Process, string) {
	n.t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", cluster.Ports(n.t, 1)[0])
	config := n.file("config.yaml", fmt.Sprintf("%sdisk: {high: %d%%, low: %d%%, check: 1s}\nserve: {namespaces: [k8s.io], listen: '%s', state: %s}\n",
		everything, high, low, address, filepath.Join(n.t.TempDir(), "state")))
	args := []string{"serve", "--config", config, "--address", n.Address(), "--node-name", kubelet.Name, "--docker-host", "/nonexistent"}
	return programs.Start(n.t, n.command, append(args, pods...)...), "http://" + address + "/status"
}

// runsOf are the runs of a resident, the newest first.
func (n *node) runsOf(page string) (runs []struct{ Trigger, Result, Error string }) {
	n.t.Helper()
	var status struct {
		Runs *[]struct{ Trigger, Result, Error string }
	}
	status.Runs = &runs
	n.Await("the page of the resident", func(context.Context) (bool, error) {
		answer, err := http.Get(page)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		defer answer.Body.Close()
		return true, json.NewDecoder(answer.Body).Decode(&status)
	})
	return runs
}

// fills fills the disk with images that nobody needs, more than it can take, while a resident
// removes them. The kubelet, which is restarted on the way, finds nothing to do.
func (n *node) fills(needed []string, pods []string) {
	n.t.Helper()
	resident, page := n.beside(pods)
	const images = 3 * diskBytes / (2 * largeBytes) // one and a half disks
	seen := 0
	for i := range images {
		n.large(fmt.Sprintf("large-%d", i), largeBytes)
		if n.used() >= high {
			n.Await("the disk to be relieved", func(context.Context) (bool, error) { return n.used() <= low, nil })
		}
		if runs := len(n.runsOf(page)); runs > seen {
			n.wantKept(needed...)
			seen = runs
		}
		if i == images/2 {
			n.wantIdle()
			n.KillKubelet()
			n.StartKubelet()
		}
	}
	n.wantIdle()
	runs := n.runsOf(page)
	for _, run := range runs {
		if run.Trigger != "pressure" || run.Result != "done" {
			n.t.Errorf("a run: %+v", run)
		}
	}
	if len(runs) < 2 {
		n.t.Errorf("the disk was relieved %d times", len(runs))
	}
	resident.Signal(syscall.SIGTERM)
	if code, signal := resident.End(); code != 0 {
		n.t.Errorf("the resident ended with %d, %v:\n%s", code, signal, resident.Stderr())
	}
}

// The disk fills beside a kubelet with pods in all states that need images which no container
// has: it is relieved before the kubelet acts, what pods need stays, and all start; and without the
// resident the kubelet makes room as ever.
func TestDiskFillsBesideKubelet(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (n *node, pods []string, put func(string, kubelet.Spec)){
		"standalone": func(t *testing.T) (*node, []string, func(string, kubelet.Spec)) {
			n := on(t, kubelet.Standalone(t, onDisk(t)...))
			return n, []string{"--pods", n.ReadOnlyURL()}, n.Static
		},
		"registered": func(t *testing.T) (*node, []string, func(string, kubelet.Spec)) {
			n := on(t, kubelet.Registered(t, onDisk(t)...))
			return n, n.listed(n.rights("resident", rule("pods", "list")), "fieldSelector=spec.nodeName%3D"+kubelet.Name), n.Bind
		},
	} {
		t.Run(name, func(t *testing.T) {
			n, pods, put := start(t)
			absent := filepath.Join(t.TempDir(), "absent")
			n.fill(put, absent)
			n.awaitFilled()
			if n.Plane != nil {
				n.debug("running")
			}
			needed := n.allBut()
			n.fills(needed, pods)
			n.restart("running/main", "set-up/main", "volume/main", "starting/gate")
			n.release(put, absent)
			if n.Plane == nil { // once is enough to wait for it
				n.collects()
			}
			n.backstop()
		})
	}
}

// debug adds an ephemeral container that the kubelet refuses to create.
func (n *node) debug(pod string) {
	n.t.Helper()
	n.Plane.Patch("/api/v1/namespaces/default/pods/"+pod+"/ephemeralcontainers", cluster.Object{"spec": cluster.Object{
		"ephemeralContainers": []kubelet.Container{refuses("debug", n.image("debug"))},
	}})
	n.AwaitContainer(pod, "debug", "refused", refused)
}

// wantKept fails the test unless the named images are there, and CRI lists what is there and
// nothing else.
func (n *node) wantKept(repos ...string) {
	n.t.Helper()
	n.Settle()
	n.wantListed(repos...)
}
