package manifests

import (
	"context"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// written is what the text of a manifest, an index or a config says of what it
// needs. It is read only where labels do not tell: a pull that discards
// unpacked layers, and ctr content prune references, leave none of layers.
type written struct {
	Manifests []ocispec.Descriptor `json:"manifests"`
	Config    ocispec.Descriptor   `json:"config"`
	Layers    []ocispec.Descriptor `json:"layers"`
}

// readWritten reads the text of a manifest or an index; ok is false for what
// cannot be read or is neither.
func readWritten(ctx context.Context, ns *inventory.Namespace, provider content.Provider, dgst digest.Digest) (doc written, ok bool) {
	b, ok := readSmall(ctx, ns, provider, dgst)
	return doc, ok && strictjson.Unmarshal(b, &doc) == nil
}

// chainOf reads a config, and returns the chain ID of the snapshot that the
// image is unpacked to; "" if it tells none.
func chainOf(ctx context.Context, ns *inventory.Namespace, provider content.Provider, config digest.Digest) digest.Digest {
	var doc struct {
		RootFS struct {
			DiffIDs []digest.Digest `json:"diff_ids"`
		} `json:"rootfs"`
	}
	b, ok := readSmall(ctx, ns, provider, config)
	if !ok || strictjson.Unmarshal(b, &doc) != nil || len(doc.RootFS.DiffIDs) == 0 {
		return ""
	}
	return identity.ChainID(doc.RootFS.DiffIDs)
}

func readSmall(ctx context.Context, ns *inventory.Namespace, provider content.Provider, dgst digest.Digest) ([]byte, bool) {
	blob, there := ns.Blobs[dgst]
	if !there || blob.Size <= 0 || blob.Size > MaxDocument {
		return nil, false
	}
	b, err := store.ReadBlob(ctx, provider, dgst, blob.Size)
	return b, err == nil
}
