package imagestore

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// LabelPinned is the label by which CRI keeps an image from being removed.
const LabelPinned = "io.cri-containerd.pinned"

// Tag makes another record, with the labels of the first, or moves it there.
func (s Store) Tag(ctx context.Context, from string, to ...string) error {
	ctx = s.Context(ctx)
	src, err := s.Client.ImageService().Get(ctx, from)
	if err != nil {
		return fmt.Errorf("tagging %q: %w", from, err)
	}
	for _, name := range to {
		if err := s.record(ctx, name, src.Target, src.Labels); err != nil {
			return err
		}
	}
	return nil
}

// Untag removes records, plainly: nothing is collected for it.
func (s Store) Untag(ctx context.Context, names ...string) error {
	ctx = s.Context(ctx)
	for _, name := range names {
		if err := s.Client.ImageService().Delete(ctx, name); err != nil {
			return fmt.Errorf("untagging %q: %w", name, err)
		}
	}
	return nil
}

// Label sets labels on a record.
func (s Store) Label(ctx context.Context, name string, labels map[string]string) error {
	rec := images.Image{Name: name, Labels: labels}
	var fields []string
	for k := range labels {
		fields = append(fields, "labels."+k)
	}
	if _, err := s.Client.ImageService().Update(s.Context(ctx), rec, fields...); err != nil {
		return fmt.Errorf("labelling %q: %w", name, err)
	}
	return nil
}

// Pin marks a record as CRI's pinned images are.
func (s Store) Pin(ctx context.Context, name string) error {
	return s.Label(ctx, name, map[string]string{LabelPinned: "pinned"})
}

// Point makes a record of any target, be it absent, alien or absurd.
func (s Store) Point(ctx context.Context, name string, target ocispec.Descriptor) error {
	return s.record(s.Context(ctx), name, target, nil)
}

// Names of records that clients give to images nobody has a name for.

// MobyDangling is Docker's.
func MobyDangling(d digest.Digest) string { return "moby-dangling@" + d.String() }

// NoneDangling is nerdctl's and buildkit's.
func NoneDangling(d digest.Digest) string { return "<none>@" + d.String() }

// SnapshotterDangling is what nerdctl load makes of an unnamed image.
func SnapshotterDangling(snapshotter string, d digest.Digest) string {
	return snapshotter + "@" + d.String()
}

// ImportDangling is what ctr image import makes with --digests.
func ImportDangling(d digest.Digest) string { return "import@" + d.String() }

// CRINames are the three records that CRI keeps for one image: tag, digest
// and image ID. img must not be an index.
func CRINames(repo, tag string, img *Image) []string {
	return []string{
		repo + ":" + tag,
		repo + "@" + img.Target.Digest.String(),
		img.Config.Desc.Digest.String(),
	}
}
