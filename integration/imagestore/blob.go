package imagestore

import (
	"encoding/json"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Blob is a piece of content with the labels it gets in a store.
type Blob struct {
	Desc   ocispec.Descriptor
	Data   []byte
	Labels map[string]string
}

func newBlob(mediaType string, data []byte) Blob {
	return Blob{
		Desc: ocispec.Descriptor{
			MediaType: mediaType,
			Digest:    digest.FromBytes(data),
			Size:      int64(len(data)),
		},
		Data: data,
	}
}

func newJSONBlob(mediaType string, v any) (Blob, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return Blob{}, fmt.Errorf("encoding %s: %w", mediaType, err)
	}
	return newBlob(mediaType, data), nil
}

// Labels by which containerd's collector finds the children of content. The
// names after the last dot are what its client writes.
const (
	labelContent  = "containerd.io/gc.ref.content."
	labelSnapshot = "containerd.io/gc.ref.snapshot."
)

func (b *Blob) refer(name string, to digest.Digest) {
	if b.Labels == nil {
		b.Labels = map[string]string{}
	}
	b.Labels[labelContent+name] = to.String()
}
