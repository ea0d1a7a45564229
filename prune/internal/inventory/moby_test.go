package inventory

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"
)

func TestTracesOfDocker(t *testing.T) {
	stopped, mount, running, alien := strings.Repeat("1a", 32), strings.Repeat("2b", 32), strings.Repeat("3c", 32), strings.Repeat("4d", 32)
	snapshot := func(id string) leases.Resource { return leases.Resource{Type: "snapshots/overlayfs", ID: id} }
	lease := func(id string, held ...leases.Resource) Lease {
		return Lease{Lease: leases.Lease{ID: id}, Resources: held}
	}
	ns := &Namespace{
		Name: "moby-1000.1000", // as with user namespaces
		Leases: []Lease{
			lease(stopped, snapshot(stopped), snapshot(stopped+"-init")),
			lease(mount, snapshot(mount)),
			lease(alien, snapshot("sha256:of-a-sandbox")),
			lease("pe2sqmbcu368bevj7czyovvm5", snapshot("pe2sqmbcu368bevj7czyovvm5")),
		},
		Containers: []containers.Container{
			{ID: running, Labels: map[string]string{"com.docker/engine.bundle.path": "/run/docker"}},
			{ID: alien, Labels: map[string]string{"nerdctl/name": "web"}},
		},
	}
	want := map[string]SnapshotKey{stopped: {"overlayfs", stopped}, running: {}}
	if diff := cmp.Diff(want, ns.DockerContainers()); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]SnapshotKey{mount: {"overlayfs", mount}}, ns.DockerLayers()); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		ns   *Namespace
		want bool
	}{
		{ns, true},
		{&Namespace{Name: "moby"}, true},
		{&Namespace{Name: "default"}, false},
		{&Namespace{Name: "k8s.io", Leases: []Lease{lease(alien, snapshot("sha256:of-a-sandbox"))}}, false},
	} {
		if got := c.ns.Docker(); got != c.want {
			t.Errorf("%s: got %v, want %v", c.ns.Name, got, c.want)
		}
	}
}
