//go:build cluster

package kubelet_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/clients/kubelet"
)

// A kubelet that was restarted while its API server is away does not know of its
// pods, although they run, and answers as if there were none.
func TestKubeletWithoutItsAPIServer(t *testing.T) {
	n := on(t, kubelet.Standalone(t))
	n.Static("api", kubelet.Spec{Containers: []kubelet.Container{kubelet.Waits("main", n.image("app"))}})
	n.Static("next", kubelet.Spec{
		InitContainers: []kubelet.Container{kubelet.Waits("gate", n.image("gate"))},
		Containers:     []kubelet.Container{kubelet.Waits("main", n.image("later"))},
	})
	n.image("stray")
	n.AwaitContainer("api", "main", "running", runs)
	n.AwaitContainer("next", "gate", "running", runs)
	n.KillKubelet()
	n.prune("--pods", n.ReadOnlyURL()).Want(t, 1, "connection refused")
	n.wantImages(n.allBut()...)

	n.RemoveStatic("api")
	n.RemoveStatic("next")
	n.ExpectAPI()
	n.StartKubelet()
	n.wantUnused("later", "stray")
	n.wantShort(0)

	// With a static pod the list is not even empty.
	n.Static("static", kubelet.Spec{Containers: []kubelet.Container{kubelet.Waits("main", n.image("static"))}})
	n.AwaitContainer("static", "main", "running", runs)
	n.wantShort(1)
}

// wantShort fails the test unless the kubelet lists that few pods, and nothing
// goes because of that list.
func (n *node) wantShort(pods int) {
	n.t.Helper()
	if listed := n.Pods(); len(listed) != pods {
		n.t.Errorf("without its API server the kubelet lists %v", listed)
	}
	for _, args := range [][]string{{}, {"--pods-may-be-empty"}} {
		n.prune(append(args, "--pods", n.ReadOnlyURL())...).Want(n.t, 1, `the list lacks pod "default/`)
	}
	n.wantImages(n.allBut()...)
}
