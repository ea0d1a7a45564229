package imagestore

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Image is a manifest or an index with all that it refers to, in memory.
// An error of its making is kept and returned when it is put into a store.
type Image struct {
	// Name is the record's default name.
	Name string
	// Target is what records of the image point to.
	Target ocispec.Descriptor
	// Platform is that of the manifest; an index has none.
	Platform *ocispec.Platform
	// Config is empty for an index.
	Config Blob
	Layers []Layer
	// Children are the manifests of an index.
	Children []*Image

	root   Blob
	extra  []Blob
	absent map[digest.Digest]bool
	err    error
}

// Image makes a single-platform image.
func (b *Builder) Image(s Spec) *Image {
	s = b.complete(s)
	img := &Image{Name: s.Name, Platform: s.Platform}
	layerType, configType, manifestType := mediaTypes(s.Docker)
	if s.Base != nil {
		img.err = s.Base.err
		img.Layers = slices.Clone(s.Base.Layers)
	}
	for range s.Layers {
		l, err := b.layer(s.LayerBytes, layerType)
		if err != nil {
			return img.failed(err)
		}
		img.Layers = append(img.Layers, l)
	}
	config, err := newJSONBlob(configType, b.config(s, img.DiffIDs()))
	if err != nil {
		return img.failed(err)
	}
	img.Config = config
	return img.seal(manifestType)
}

func (b *Builder) config(s Spec, diffIDs []digest.Digest) ocispec.Image {
	history := make([]ocispec.History, len(diffIDs))
	for i := range history {
		history[i] = ocispec.History{Created: &s.Created, CreatedBy: fmt.Sprintf("copy files %d", i)}
	}
	return ocispec.Image{
		Created:  &s.Created,
		Author:   "build " + b.marker(), // two images of the same layers differ
		Platform: *s.Platform,
		Config:   ocispec.ImageConfig{Labels: s.Labels, Cmd: []string{"/bin/true"}, Env: []string{"PATH=/usr/bin:/bin"}},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: diffIDs},
		History:  history,
	}
}

// seal writes the manifest over the image's config and layers.
func (i *Image) seal(mediaType string) *Image {
	m := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: mediaType,
		Config:    i.Config.Desc,
	}
	for _, l := range i.Layers {
		m.Layers = append(m.Layers, l.Desc)
	}
	root, err := newJSONBlob(mediaType, m)
	if err != nil {
		return i.failed(err)
	}
	root.hold(append([]ocispec.Descriptor{m.Config}, m.Layers...)...)
	return i.setRoot(root)
}

func (i *Image) setRoot(root Blob) *Image {
	i.root = root
	i.Target = root.Desc
	return i
}

func (i *Image) failed(err error) *Image {
	if i.err == nil {
		i.err = fmt.Errorf("making image %q: %w", i.Name, err)
	}
	return i
}

// Err returns the first error of the image's making.
func (i *Image) Err() error { return i.err }

// DiffIDs returns the digests of the uncompressed layers.
func (i *Image) DiffIDs() []digest.Digest {
	ids := make([]digest.Digest, len(i.Layers))
	for n, l := range i.Layers {
		ids[n] = l.DiffID
	}
	return ids
}

// ChainIDs returns the keys of the image's snapshots, the lowest first.
func (i *Image) ChainIDs() []string {
	var out []string
	for _, id := range identity.ChainIDs(i.DiffIDs()) {
		out = append(out, id.String())
	}
	return out
}

// Blobs returns what the image consists of, children before parents and each
// once, without what [Image.Without] took away.
func (i *Image) Blobs() []Blob {
	seen := maps.Clone(i.absent)
	if seen == nil {
		seen = map[digest.Digest]bool{}
	}
	return i.collect(nil, seen)
}

func (i *Image) collect(out []Blob, seen map[digest.Digest]bool) []Blob {
	add := func(b Blob) {
		if len(b.Data) > 0 && !seen[b.Desc.Digest] {
			seen[b.Desc.Digest] = true
			out = append(out, b)
		}
	}
	for _, c := range i.Children {
		out = c.collect(out, seen)
	}
	for _, l := range i.Layers {
		add(l.Blob)
	}
	add(i.Config)
	for _, e := range i.extra {
		add(e)
	}
	add(i.root)
	return out
}

// Manifests returns the single-platform images within: the image itself, or
// the children of an index whose blobs are all there.
func (i *Image) Manifests() []*Image {
	if i.Children == nil {
		return []*Image{i}
	}
	var out []*Image
	for _, c := range i.Children {
		if c.Platform != nil && !i.absent[c.Target.Digest] {
			out = append(out, c)
		}
	}
	return out
}

// Digests returns the digests of all blobs of the image.
func (i *Image) Digests() []digest.Digest {
	var out []digest.Digest
	for _, b := range i.Blobs() {
		out = append(out, b.Desc.Digest)
	}
	return out
}
