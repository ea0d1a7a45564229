package kubelet

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"

	"github.com/ctr-prune/ctr-prune/integration/bed/apart"
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
		serving := n.CA.Server(Name, net.ParseIP(apart.Address))
		c["tlsCertFile"], c["tlsPrivateKeyFile"] = serving.CertFile, serving.KeyFile
		c["authorization"] = cluster.Object{"mode": "Webhook"}
	}
	if n.pods != "" {
		c["address"] = "0.0.0.0" // pods ask it, and the API server does
		c["clusterDNS"], c["clusterDomain"] = []string{apart.Address}, "cluster.local"
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

// URL is where the kubelet lists its pods to those whom it knows.
func (n *Node) URL() string { return fmt.Sprintf("https://127.0.0.1:%d/pods", n.ports[0]) }

// ReadOnlyURL is where the kubelet lists its pods to everybody.
func (n *Node) ReadOnlyURL() string { return fmt.Sprintf("http://127.0.0.1:%d/pods", n.ports[1]) }
