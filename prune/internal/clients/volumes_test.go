package clients_test

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

func TestImageVolumeUses(t *testing.T) {
	target := digest.FromString("a")
	mount := "/run/containerd/io.containerd.grpc.v1.cri/image-volumes/box/" + target.Encoded()
	lease := func(id string, resources ...leases.Resource) inventory.Lease {
		return inventory.Lease{Lease: leases.Lease{ID: id}, Resources: resources}
	}
	volume := leases.Resource{ID: mount, Type: "snapshots/overlayfs"}
	layer := leases.Resource{ID: digest.FromString("layer").String(), Type: "snapshots/overlayfs"}
	blob := leases.Resource{ID: target.String(), Type: "content"}
	sandbox := containers.Container{ID: "box", Labels: map[string]string{inventory.LabelPodNamespace: "default", inventory.LabelPodName: "api"}}
	for name, test := range map[string]struct {
		ns   *inventory.Namespace
		want []inventory.Use
	}{
		"of a pod": {
			ns: &inventory.Namespace{Name: store.CRINamespace, Leases: []inventory.Lease{lease("box", volume, layer, blob)}, Containers: []containers.Container{sandbox}},
			want: []inventory.Use{{
				Holder:  cause.Holder{Kind: "pod", ID: "box", Name: "default/api, image volume", Client: "CRI"},
				Digests: []digest.Digest{target}, Snapshot: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: mount},
			}},
		},
		"of a pod that left no container": {
			ns: &inventory.Namespace{Name: store.CRINamespace, Leases: []inventory.Lease{lease("box", volume)}},
			want: []inventory.Use{{
				Holder:  cause.Holder{Kind: "pod", ID: "box", Name: "box, image volume", Client: "CRI"},
				Digests: []digest.Digest{target}, Snapshot: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: mount},
			}},
		},
		"of a lease that is no sandbox's": {ns: &inventory.Namespace{Name: store.CRINamespace, Leases: []inventory.Lease{lease("pull", volume, layer)}}},
		"elsewhere":                       {ns: &inventory.Namespace{Name: "default", Leases: []inventory.Lease{lease("box", volume)}}},
	} {
		t.Run(name, func(t *testing.T) {
			clients.AddVolumes(test.ns)
			if diff := cmp.Diff(test.want, test.ns.Uses); diff != "" {
				t.Errorf("uses (-want +got):\n%s", diff)
			}
		})
	}
	if text := (cause.Holder{Kind: "pod", Name: "default/api, image volume", Client: "CRI"}).String(); strings.Contains(text, "CRI") {
		t.Errorf("the holder is %q", text)
	}
}
