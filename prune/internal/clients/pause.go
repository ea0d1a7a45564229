package clients

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// pinnedByCRI adds the image that CRI is configured with. If it cannot be found
// out, every image that may be the sandbox image is kept: these are small, and
// without it the node cannot start any pod. Nothing that a failing CRI says is
// believed.
func (r Asking) pinnedByCRI(ctx context.Context, ns *inventory.Namespace) error {
	if ns.Name != store.CRINamespace {
		return nil
	}
	if r.Store == nil || r.Store.Abilities().CRI == nil {
		addPauseLike(ns, "because containerd is not running and cannot be asked")
		return nil
	}
	pins, err := r.Store.Abilities().CRI.Pins(ctx)
	if errdefs.IsUnavailable(err) && ctx.Err() == nil {
		addPauseLike(ns, "because its configuration cannot be read here")
		return nil
	}
	for _, purpose := range slices.Sorted(maps.Keys(pins)) {
		name := fmt.Sprintf("as its pinned image %q", purpose)
		if purpose == store.PinSandbox {
			name = "as its sandbox (pause) image"
		}
		for _, image := range slices.Compact(slices.Sorted(slices.Values(pins[purpose]))) {
			ns.Uses = append(ns.Uses, inventory.Use{Holder: cause.Holder{Kind: "CRI", Name: name}, Image: image, Absent: true})
		}
	}
	return err
}

// addPauseLike protects images whose name says that they are a pause image.
func addPauseLike(ns *inventory.Namespace, because string) {
	for i := range ns.Images {
		if name := ns.Images[i].Name; pauseLike(name) {
			holder := cause.Holder{Kind: "CRI", Name: "as its sandbox (pause) image, possibly, " + because}
			ns.Uses = append(ns.Uses, inventory.Use{Holder: holder, Image: name, Absent: true})
		}
	}
}

// pauseLike says whether the last part of an image's repository has the word:
// "registry.k8s.io/pause", "rancher/mirrored-pause", "pause-amd64".
func pauseLike(name string) bool {
	ref, err := reference.ParseDockerRef(name)
	return err == nil && strings.Contains(path.Base(ref.Name()), "pause")
}
