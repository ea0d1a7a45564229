package kubelet

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
)

// config is the kubelet's configuration. It leaves alone what does not belong to
// the test: no cgroups for classes of pods, no rules of a firewall, and no
// collection of images and no eviction, because the disk is everybody's.
func (n *Node) config() cluster.Object {
	never := "0%"
	c := cluster.Object{
		"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
		"address": "127.0.0.1", "port": n.ports[0], "readOnlyPort": n.ports[1], "healthzPort": 0,
		"containerRuntimeEndpoint": "unix://" + n.Address(),
		"staticPodPath":            n.dir("manifests"),
		"podLogsDir":               n.dir("logs"),
		"volumePluginDir":          n.dir("plugins"),
		"fileCheckFrequency":       "1s",
		"syncFrequency":            "1s",
		"cgroupDriver":             "cgroupfs", "cgroupsPerQOS": false, "enforceNodeAllocatable": []string{}, "failCgroupV1": false,
		"failSwapOn": false, "localStorageCapacityIsolation": false, "makeIPTablesUtilChains": false,
		"imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
		"evictionHard": cluster.Object{
			"memory.available": never, "nodefs.available": never, "nodefs.inodesFree": never,
			"imagefs.available": never, "imagefs.inodesFree": never,
		},
		"authentication": cluster.Object{
			"anonymous": cluster.Object{"enabled": false},
			"webhook":   cluster.Object{"enabled": n.Plane != nil},
			"x509":      cluster.Object{"clientCAFile": n.CA.CertFile},
		},
		"authorization": cluster.Object{"mode": "AlwaysAllow"},
	}
	if n.Plane != nil {
		serving := n.CA.Server("kubelet")
		c["tlsCertFile"], c["tlsPrivateKeyFile"] = serving.CertFile, serving.KeyFile
		c["authorization"] = cluster.Object{"mode": "Webhook"}
	}
	maps.Copy(c, n.changed)
	return c
}

// write writes an object to a file of the kubelet's and returns its path.
func (n *Node) write(name string, object any) string {
	n.tb.Helper()
	text, err := json.Marshal(object)
	if err != nil {
		n.tb.Fatal(err)
	}
	path := filepath.Join(n.dir(""), name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		n.tb.Fatal(err)
	}
	return path
}

// kernel makes a folder with what a kubelet wants of the kernel's settings, as
// files.
func (n *Node) kernel() string {
	n.tb.Helper()
	for name, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		file := filepath.Join(n.dir("kernel"), name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			n.tb.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			n.tb.Fatal(err)
		}
	}
	return n.dir("kernel")
}

// apart is the command of a kubelet that changes nothing outside of its test. It
// gets a mount namespace of its own, because some of its folders cannot be
// configured, and it would change settings of the kernel. What it mounts below root is
// seen by others, as containerd has to: volumes with tokens are mounts.
func apart(root, kernel, program string, args ...string) *exec.Cmd {
	const script = `set -e
root=$1
cut -d ' ' -f 5 /proc/self/mountinfo | while read -r at; do
	[ "$at" = "$root" ] || mount --make-slave "$at" || ! grep -qF " $at " /proc/self/mountinfo
done
mount -t tmpfs none /var/lib
mount -t tmpfs none /var/log
cd "$2"
find . -type f | while read -r file; do mount --bind "$file" "/proc/sys/$file"; done
shift 2
exec "$@"`
	return exec.Command("unshare", append([]string{"--mount", "--propagation", "unchanged", "sh", "-c", script, "sh", root, kernel, program}, args...)...)
}

// URL is where the kubelet lists its pods to those whom it knows.
func (n *Node) URL() string { return fmt.Sprintf("https://127.0.0.1:%d/pods", n.ports[0]) }

// ReadOnlyURL is where the kubelet lists its pods to everybody.
func (n *Node) ReadOnlyURL() string { return fmt.Sprintf("http://127.0.0.1:%d/pods", n.ports[1]) }
