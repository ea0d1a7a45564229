package cri_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/cri"
	"github.com/ctr-prune/ctr-prune/integration/parts"
)

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
