package imagestore

import (
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// IndexSpec describes an image index.
type IndexSpec struct {
	Name string
	// Manifests are present, with all their blobs.
	Manifests []*Image
	// Missing are listed but not present, as after a pull of one platform.
	Missing []*Image
	// Attest adds an attestation manifest for each of Manifests, the way
	// buildkit does.
	Attest bool
}

// Index makes a multi-platform image. The labels of an index name only the
// children that are present, as containerd's pull writes them.
func (b *Builder) Index(s IndexSpec) *Image {
	img := &Image{Name: s.Name, absent: map[digest.Digest]bool{}}
	index := newIndex()
	for _, m := range s.Manifests {
		maps.Copy(img.absent, m.absent)
		img.addChild(&index, m, nil)
	}
	if s.Attest {
		for _, m := range s.Manifests {
			img.addChild(&index, b.Attestation(m), attests(m))
		}
	}
	for _, m := range s.Missing {
		for _, blob := range m.Blobs() {
			img.absent[blob.Desc.Digest] = true
		}
		img.addChild(&index, m, nil)
	}
	for _, m := range s.Manifests { // layers shared with a missing platform stay
		for _, blob := range m.Blobs() {
			delete(img.absent, blob.Desc.Digest)
		}
	}
	root, err := newJSONBlob(ocispec.MediaTypeImageIndex, index)
	if err != nil {
		return img.failed(err)
	}
	root.hold(slices.DeleteFunc(index.Manifests, func(m ocispec.Descriptor) bool {
		return img.absent[m.Digest]
	})...)
	return img.setRoot(root)
}

func newIndex() ocispec.Index {
	return ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
	}
}

func (i *Image) addChild(index *ocispec.Index, m *Image, annotations map[string]string) {
	if m.err != nil {
		i.failed(m.err)
	}
	desc := m.Target
	desc.Platform = m.Platform
	if annotations != nil {
		desc.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		desc.Annotations = annotations
	}
	index.Manifests = append(index.Manifests, desc)
	i.Children = append(i.Children, m)
}

func attests(m *Image) map[string]string {
	return map[string]string{
		"vnd.docker.reference.type":   "attestation-manifest",
		"vnd.docker.reference.digest": m.Target.Digest.String(),
	}
}

// Without returns a copy of the image that lacks blobs: a layer, the config
// or a child. The labels that refer to them stay, as they do when containerd
// discards unpacked layers.
func (i *Image) Without(missing ...digest.Digest) *Image {
	c := *i
	c.absent = maps.Clone(i.absent)
	if c.absent == nil {
		c.absent = map[digest.Digest]bool{}
	}
	for _, d := range missing {
		c.absent[d] = true
	}
	return &c
}

// Lacks says whether the image is without one of its manifest's blobs.
func (i *Image) Lacks(d digest.Digest) bool { return i.absent[d] }
