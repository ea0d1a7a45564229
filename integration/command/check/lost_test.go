package check

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

// A blob that containerd lists and whose file is gone is found, and what is
// offered repairs it: removed from the list, it comes back with a pull.
func TestLostBlob(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		ctx := n.t.Context()
		img := n.image("docker.io/library/lost:1")
		layer := img.Layers[0].Desc
		n.must(n.Write(ctx, img))
		n.d.RemoveBlob(layer.Digest)
		before := n.state()
		found := n.find()
		want(n.t, found, planted{prune.ProblemLost, "default", layer.Digest.String(), layer.Size})
		n.repair(found)
		if left := n.find(); len(left) != 1 {
			n.t.Errorf("after a repair, which cannot repair it: %+v", left)
		}
		if images := len(n.state().Namespaces["default"].Images); images != len(before.Namespaces["default"].Images) {
			n.t.Errorf("%d images are left", images)
		}

		if !n.d.Running() {
			n.d.Up()
			n.Store = n.d.Store("default")
		}
		n.must(n.Client.ContentStore().Delete(n.Context(ctx), layer.Digest))
		want(n.t, n.find(), planted{prune.ProblemIncomplete, "default", img.Name, bytesOf(img.Without(layer.Digest))})
		if !n.d.Running() {
			n.d.Up()
			n.Store = n.d.Store("default")
		}
		n.must(n.Write(ctx, img))
		want(n.t, n.find())
	})
}
