package kubelet

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ctr-prune/ctr-prune/integration/bed/apart"
	"github.com/ctr-prune/ctr-prune/integration/bed/cluster"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// port is where a kubelet listens on any node.
const port = 10250

// withNetwork gives pods a network: each has an address on the bridge of the machine, which is
// its way to the API server and to the kubelet.
func withNetwork(n *Node) {
	n.tb.Helper()
	first, last := apart.Pods()
	text, err := json.Marshal(cluster.Object{"cniVersion": "1.0.0", "name": "pods", "plugins": []cluster.Object{{
		"type": "bridge", "bridge": apart.Bridge, "isGateway": true,
		"ipam": cluster.Object{
			"type": "host-local", "routes": []cluster.Object{{"dst": "0.0.0.0/0"}},
			"ranges": [][]cluster.Object{{{"subnet": apart.Network, "rangeStart": first, "rangeEnd": last, "gateway": apart.Address}}},
		},
	}}})
	if err != nil {
		n.tb.Fatal(err)
	}
	folder := n.tb.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "pods.conflist"), text, 0o600); err != nil {
		n.tb.Fatal(err)
	}
	n.ports[0] = port
	n.pods = fmt.Sprintf("[plugins.'io.containerd.cri.v1.runtime'.cni]\nbin_dirs = [%q]\nconf_dir = %q\n", cluster.Programs(n.tb, parts.CNI).Dir(parts.CNI), folder)
}
