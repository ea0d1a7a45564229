package imagestore

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
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

// hold labels the blob with the children that containerd's collector is to
// keep with it, under the names that containerd's own client gives them.
func (b *Blob) hold(children ...ocispec.Descriptor) {
	if b.Labels == nil {
		b.Labels = map[string]string{}
	}
	count := map[string]int{}
	for _, c := range children {
		for _, key := range images.ChildGCLabels(c) {
			n := count[key]
			count[key]++
			if n > 0 || strings.HasSuffix(key, ".") {
				key = fmt.Sprintf("%s%d", key, n)
			}
			b.Labels[key] = c.Digest.String()
		}
	}
}

// holdReferrer labels the blob with an artifact that has it as its subject.
func (b *Blob) holdReferrer(d digest.Digest) {
	const shown = 12 // digits of the digest that stand in the label's name
	b.Labels = maps.Clone(b.Labels)
	b.Labels["containerd.io/gc.ref.content.referrer.sha256."+d.Encoded()[:shown]] = d.String()
}
