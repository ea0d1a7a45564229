package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// layout is an OCI image layout that is being written.
type layout struct{ dir string }

// newLayout begins a layout in a folder, in place of what was there.
func newLayout(dir string) (layout, error) {
	blobs := filepath.Join(dir, ocispec.ImageBlobsDir, digest.SHA256.String())
	if err := os.RemoveAll(dir); err != nil {
		return layout{}, err
	}
	return layout{dir}, os.MkdirAll(blobs, 0o755)
}

// blob adds a blob.
func (l layout) blob(mediaType string, body []byte) (ocispec.Descriptor, error) {
	d := digest.FromBytes(body)
	path := filepath.Join(l.dir, ocispec.ImageBlobsDir, d.Algorithm().String(), d.Encoded())
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(body))}, os.WriteFile(path, body, 0o644)
}

// document adds a blob of JSON.
func (l layout) document(mediaType string, value any) (ocispec.Descriptor, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return l.blob(mediaType, body)
}

// end writes the files that make the folder a layout, with the images that it is known by.
func (l layout) end(roots ...ocispec.Descriptor) error {
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: roots}
	for name, value := range map[string]any{
		ocispec.ImageIndexFile: index, ocispec.ImageLayoutFile: ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion},
	} {
		body, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(l.dir, name), body, 0o644); err != nil {
			return err
		}
	}
	return nil
}
