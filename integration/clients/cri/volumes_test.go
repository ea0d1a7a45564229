package cri_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// wantLeasesOfPods checks that the leases that CRI keeps for its pods, with IDs
// like Docker's, are told as what they are.
func wantLeasesOfPods(t *testing.T, n *cri.Node) {
	t.Helper()
	store, err := prune.Open(t.Context(), n.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	list, err := prune.Leases(t.Context(), store, time.Now(), prune.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pods := 0
	for _, lease := range list {
		switch lease.Kind {
		case leases.KindPod:
			pods++
			if !strings.Contains(lease.Reason, "pod default/") {
				t.Errorf("lease %s is told with %q", lease.ID, lease.Reason)
			}
		case leases.KindDocker, leases.KindMount:
			t.Errorf("lease %s is told as %q", lease.ID, lease.Kind)
		}
	}
	if pods == 0 {
		t.Errorf("no lease is a pod's: %+v", list)
	}
}

// Image volumes came with containerd 2.1; there are none on 1.7.
func TestImageVolumesStay(t *testing.T) {
	n := cri.Start(t, parts.Containerd24)
	app := n.Pulled("docker.io/library/app", "1")
	byTag := n.Pulled("registry.example/models", "1")
	byID := n.Pulled("registry.example/rules", "1")
	stray := n.Pulled("docker.io/library/stray", "1")
	pod := n.Pod("api")
	pod.Run(cri.Container{Name: "app", Image: "app:1", Volume: "registry.example/models:1"})
	id := byID.Config.Desc.Digest.String()
	second := pod.Create(cri.Container{Name: "second", Image: "app:1", Volume: id})
	pod.RemoveContainer(second) // the volume is the pod's, and stays with it
	wantLeasesOfPods(t, n)

	p := pruneAll(t, n)
	p.wantGone(t, stray)
	for _, name := range []string{"registry.example/models:1", id} {
		if got, want := p.reason(t, name), "in use by pod default/api, image volume"; got != want {
			t.Errorf("%s is kept for %q, want %q", name, got, want)
		}
	}
	wantClean(t, n)
	wantUsable(t, n, "registry.example/models:1", id)

	pod.Remove()
	pruneAll(t, n).wantGone(t, app, byTag, byID)
	wantClean(t, n)
}
