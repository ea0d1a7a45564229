package testworld

import (
	"encoding/json"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Body is what a blob holds: its text, so many times that lengths differ, or
// the text itself if it is JSON.
func Body(text string) string {
	if strings.HasPrefix(text, "{") {
		return text
	}
	return strings.Repeat(text+"\n", 1+len(text)*int(text[0])%97)
}

// ManifestOf writes a manifest with a config and perhaps a subject.
func ManifestOf(config, subject string) string {
	m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: Descriptor(config)}
	if subject != "" {
		m.Subject = &ocispec.Descriptor{MediaType: m.MediaType, Digest: Digest(subject), Size: int64(len(Body(subject)))}
	}
	return string(Must(json.Marshal(m)))
}

// IndexOf writes an index of manifests.
func IndexOf(mediaType string, texts ...string) string {
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	for _, text := range texts {
		d := Descriptor(text)
		d.MediaType = mediaType
		index.Manifests = append(index.Manifests, d)
	}
	return string(Must(json.Marshal(index)))
}

// ConfigOf writes an image config with labels.
func ConfigOf(labels map[string]string) string {
	return string(Must(json.Marshal(ocispec.Image{Config: ocispec.ImageConfig{Labels: labels}})))
}

// Digest is the digest of the blob of that text.
func Digest(text string) digest.Digest {
	if text == "" {
		return ""
	}
	return digest.FromString(Body(text))
}

// Descriptor is that of the blob of that text.
func Descriptor(text string) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: Digest(text), Size: int64(len(Body(text)))}
}
