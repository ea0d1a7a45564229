package behaviour_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// contains says whether one of the texts contains another.
func contains(texts []string, part string) bool {
	return slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(s, part) })
}

func sameRecord(a, b images.Image) bool {
	return a.Target.Digest == b.Target.Digest && a.CreatedAt.Equal(b.CreatedAt) && a.UpdatedAt.Equal(b.UpdatedAt)
}

// without returns the digests of a that are not among b.
func without(a, b []digest.Digest) []digest.Digest {
	return slices.DeleteFunc(slices.Clone(a), func(d digest.Digest) bool { return slices.Contains(b, d) })
}

// union returns the digests of a and b, each once.
func union(a, b []digest.Digest) []digest.Digest {
	return append(slices.Clone(a), without(b, a)...)
}

// foreignArchives lets umoci make an image, and skopeo make Docker's archive
// of it, and returns the archives by the tool. The test is skipped, with the
// reason, where the tools cannot be had.
func foreignArchives(t *testing.T) map[string]string {
	t.Helper()
	ctx := context.Background()
	paths, err := parts.Ensure(ctx, parts.Umoci, parts.Skopeo)
	if errors.Is(err, parts.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	oci, err := imagestore.UmociArchive(ctx, paths.Bin(parts.Umoci, "umoci"), dir, "1", "/usr/bin/env", "/usr/bin/sort")
	if err != nil {
		t.Fatal(err)
	}
	docker := filepath.Join(dir, "docker.tar")
	if err := imagestore.SkopeoCopy(ctx, paths.Bin(parts.Skopeo, "skopeo"),
		"oci-archive:"+oci+":1", "docker-archive:"+docker+":docker.io/library/skopeo:1"); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"umoci": oci, "skopeo": docker}
}

func digestsOf(blobs []imagestore.Blob) []digest.Digest {
	out := make([]digest.Digest, len(blobs))
	for i, b := range blobs {
		out[i] = b.Desc.Digest
	}
	return out
}
