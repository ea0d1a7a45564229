package imagestore

import (
	"fmt"
	"strings"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Garbage makes an image whose manifest blob is not JSON.
func (b *Builder) Garbage(name string) *Image {
	img := &Image{Name: name}
	return img.setRoot(newBlob(ocispec.MediaTypeImageManifest, []byte("{\x00 not a manifest "+b.marker())))
}

// GarbageConfig makes an image whose config blob is not JSON.
func (b *Builder) GarbageConfig(s Spec) *Image {
	img := b.Image(s)
	img.Config = newBlob(img.Config.Desc.MediaType, []byte("\xff\xfe not a config "+b.marker()))
	img.Platform = nil // so that nothing tries to unpack it
	return img.seal(img.Target.MediaType)
}

// CacheExport makes an index that lists layers and a cache config directly,
// as buildx's registry cache does.
func (b *Builder) CacheExport(name string, of *Image) *Image {
	img := &Image{Name: name, err: of.err}
	index := newIndex()
	for _, l := range of.Layers {
		index.Manifests = append(index.Manifests, l.Desc)
		img.extra = append(img.extra, l.Blob)
	}
	config := newBlob("application/vnd.buildkit.cacheconfig.v0", fmt.Appendf(nil, `{"layers":[],"serial":%q}`, b.marker()))
	index.Manifests = append(index.Manifests, config.Desc)
	img.extra = append(img.extra, config)
	root, err := newJSONBlob(ocispec.MediaTypeImageIndex, index)
	if err != nil {
		return img.failed(err)
	}
	root.hold(index.Manifests...)
	// Children is not nil: there is no manifest to unpack in here.
	img.Children = []*Image{}
	return img.setRoot(root)
}

// Overstated makes an image whose manifest declares size bytes for a layer of
// four.
func (b *Builder) Overstated(name string, size int64) *Image {
	layerType, configType, manifestType := mediaTypes(false)
	tiny := newBlob(layerType, []byte("tiny"))
	config, err := newJSONBlob(configType, ocispec.Image{Author: b.marker()})
	img := &Image{Name: name, Config: config}
	if err != nil {
		return img.failed(err)
	}
	tiny.Desc.Size = size
	img.Layers = []Layer{{Blob: tiny}}
	return img.seal(manifestType)
}

// Claiming returns the image with another size in its records' target.
func (i *Image) Claiming(size int64) *Image {
	c := *i
	c.Target.Size = size
	return &c
}

// Doubling makes depth indexes, each of which lists the next one twice: few
// bytes, and 2^depth paths through them.
func (b *Builder) Doubling(name string, depth int) *Image {
	leaf := b.Garbage("")
	img := &Image{Name: name, Children: []*Image{}, extra: []Blob{leaf.root}}
	below := leaf.root
	for n := range depth {
		index := newIndex()
		index.Versioned = specs.Versioned{SchemaVersion: 2}
		index.Manifests = []ocispec.Descriptor{below.Desc, below.Desc}
		blob, err := newJSONBlob(ocispec.MediaTypeImageIndex, index)
		if err != nil {
			return img.failed(err)
		}
		blob.hold(index.Manifests...)
		if n < depth-1 {
			img.extra = append(img.extra, blob)
		}
		below = blob
	}
	return img.setRoot(below)
}

// HostileNames are names that a store accepts and a terminal should never
// see raw, or that a careless program takes for something else.
func HostileNames() []string {
	return []string{
		"evil.example/esc:\x1b[31mred\x1b[0m",
		"evil.example/title:\x1b]0;owned\x07",
		"evil.example/two\nlines:1",
		"evil.example/return:\rDeleted: nothing",
		"evil.example/bidi:\u202egnp.exe",
		"evil.example/c1:\u009b31m",
		"evil.example/long:" + strings.Repeat("x", 20_000),
		"--all",
		"{{.Name}}",
		"<script>alert(1)</script>",
		"'; DROP TABLE images; --",
		"../../etc/passwd",
		" ",
	}
}
