package cri

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// Image makes a runnable image of its own with one layer over Base.
func (n *Node) Image() *imagestore.Image {
	return n.Builder.Image(imagestore.Spec{Base: n.Base, Layers: 1, LayerBytes: 8 << 10})
}

// Pulled puts an image into the store under the names that a pull of tag by
// CRI leaves, repo:tag, repo@digest and the image ID, and waits until CRI has
// it.
func (n *Node) Pulled(repo, tag string) *imagestore.Image {
	n.tb.Helper()
	img := n.Image()
	n.Add(img, imagestore.CRINames(repo, tag, img)...)
	return img
}

// Add puts an image into the store under names and waits until CRI knows all
// of them: until its label is on each record, and the image is listed.
func (n *Node) Add(img *imagestore.Image, names ...string) {
	n.tb.Helper()
	s := n.Store(Namespace)
	if err := s.Add(n.tb.Context(), img, names...); err != nil {
		n.tb.Fatal(err)
	}
	n.ids[img.Target.Digest] = img.Config.Desc.Digest.String()
	n.Settle()
}

// ID returns the image ID, the digest of the config, that goes with a target.
func (n *Node) ID(target digest.Digest) string {
	n.tb.Helper()
	id, ok := n.ids[target]
	if !ok {
		n.tb.Fatalf("nobody added an image with target %s", target)
	}
	return id
}

// Alias says that an image has the ID of another, as an index that of a manifest.
func (n *Node) Alias(img, of *imagestore.Image) { n.ids[img.Target.Digest] = n.ids[of.Target.Digest] }

// Tag makes further names for a record and waits until CRI knows them.
func (n *Node) Tag(from string, to ...string) {
	n.tb.Helper()
	if err := n.Store(Namespace).Tag(n.tb.Context(), from, to...); err != nil {
		n.tb.Fatal(err)
	}
	n.Settle()
}

// Settle waits until CRI has handled every event so far. It handles them in
// order, so an image that is made now is in its list only after all others.
func (n *Node) Settle() {
	n.tb.Helper()
	s := n.Store(Namespace)
	ctx := n.tb.Context()
	const probe = "probe.example/settle:1"
	img := n.Builder.Image(imagestore.Spec{LayerBytes: 1})
	if err := s.Add(ctx, img, probe); err != nil {
		n.tb.Fatal(err)
	}
	n.Await("CRI to see a new image", func(ctx context.Context) (bool, error) {
		found, err := n.Status(ctx, probe)
		return found != nil, err
	})
	id := img.Config.Desc.Digest.String()
	if err := s.Untag(ctx, probe, id); err != nil {
		n.tb.Fatal(err)
	}
	n.Await("CRI to forget an image", func(ctx context.Context) (bool, error) {
		found, err := n.Status(ctx, id)
		return found == nil, err
	})
	if err := s.Collect(ctx); err != nil {
		n.tb.Fatal(err)
	}
}

// Status asks CRI for one image, by a name in any spelling or an image ID.
// It is nil if CRI does not know it.
func (n *Node) Status(ctx context.Context, name string) (*runtime.Image, error) {
	answer, err := n.Images.ImageStatus(ctx, &runtime.ImageStatusRequest{Image: &runtime.ImageSpec{Image: name}})
	return answer.GetImage(), err
}

// Listed returns what CRI lists: for each image ID its tags and digests,
// sorted.
func (n *Node) Listed() map[string][]string {
	n.tb.Helper()
	answer, err := n.Images.ListImages(n.tb.Context(), &runtime.ListImagesRequest{})
	if err != nil {
		n.tb.Fatalf("listing CRI's images: %v", err)
	}
	out := make(map[string][]string)
	for _, img := range answer.GetImages() {
		names := append(append([]string{}, img.GetRepoTags()...), img.GetRepoDigests()...)
		slices.Sort(names)
		// After a restart CRI may list a name twice that two records spell.
		out[img.GetId()] = slices.Compact(names)
	}
	return out
}

// ConfigurePause restarts containerd with another pause image in its
// configuration, spelled as given.
func (n *Node) ConfigurePause(spelled string) {
	n.tb.Helper()
	n.Restart(func(o *daemon.Options) { o.SandboxImage = spelled })
	n.dial()
}

// UsePause restarts containerd with another pause image, new in the store and
// pinned, and takes the pin off the old one, as an administrator does.
func (n *Node) UsePause(name string) {
	n.tb.Helper()
	n.ConfigurePause(name)
	s := n.Store(Namespace)
	for _, record := range []string{PauseName, n.Base.Config.Desc.Digest.String()} {
		if err := s.Label(n.tb.Context(), record, map[string]string{imagestore.LabelPinned: ""}); err != nil {
			n.tb.Fatal(err)
		}
	}
	n.Add(n.Builder.Image(imagestore.Spec{Base: n.Base, Layers: 1}), name)
}
