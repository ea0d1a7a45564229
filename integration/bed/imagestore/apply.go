package imagestore

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// dirApplier unpacks layers straight into the folder that a snapshot's mount
// shows, without mounting it. containerd's own applier mounts, which needs
// root; this one needs only the right to write there.
type dirApplier struct {
	content content.Provider
}

// Apply implements diff.Applier.
func (a dirApplier) Apply(ctx context.Context, desc ocispec.Descriptor, mounts []mount.Mount, _ ...diff.ApplyOpt) (ocispec.Descriptor, error) {
	dir, opts, err := target(mounts)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	ra, err := a.content.ReaderAt(ctx, desc)
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("reading layer %s: %w", desc.Digest, err)
	}
	defer ra.Close()
	tar, err := compression.DecompressStream(content.NewReader(ra))
	if err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("reading layer %s: %w", desc.Digest, err)
	}
	defer tar.Close()

	diffID := digest.Canonical.Digester()
	r := io.TeeReader(tar, diffID.Hash())
	if _, err := archive.Apply(ctx, dir, r, opts...); err != nil {
		return ocispec.Descriptor{}, fmt.Errorf("unpacking layer %s: %w", desc.Digest, err)
	}
	size, err := io.Copy(io.Discard, r) // the tar's padding belongs to its digest
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: diffID.Digest(), Size: size}, nil
}

// Compare implements diff.Comparer.
func (dirApplier) Compare(context.Context, []mount.Mount, []mount.Mount, ...diff.Opt) (ocispec.Descriptor, error) {
	return ocispec.Descriptor{}, errdefs.ErrNotImplemented
}

// target finds the folder to write to: the source of a bind mount, or the
// upper folder of an overlay, whose whiteouts are device nodes.
func target(mounts []mount.Mount) (string, []archive.ApplyOpt, error) {
	if len(mounts) != 1 {
		return "", nil, fmt.Errorf("%d mounts for one snapshot: %w", len(mounts), errdefs.ErrNotImplemented)
	}
	var opts []archive.ApplyOpt
	if os.Geteuid() != 0 {
		opts = append(opts, archive.WithNoSameOwner())
	}
	m := mounts[0]
	if m.Type == "bind" {
		return m.Source, opts, nil
	}
	for _, o := range m.Options {
		if upper, ok := strings.CutPrefix(o, "upperdir="); ok {
			return upper, append(opts, archive.WithConvertWhiteout(archive.OverlayConvertWhiteout)), nil
		}
	}
	return "", nil, fmt.Errorf("unpacking into a %s mount: %w", m.Type, errdefs.ErrNotImplemented)
}
