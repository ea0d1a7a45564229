package imagestore

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Attestation makes the manifest that buildkit adds to an index for an image:
// its layer is an in-toto statement, its config describes no root file system.
func (b *Builder) Attestation(of *Image) *Image {
	statement := newBlob("application/vnd.in-toto+json", fmt.Appendf(nil,
		`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://slsa.dev/provenance/v0.2",`+
			`"subject":[{"name":"_","digest":{"sha256":%q}}],"predicate":{"serial":%q}}`,
		of.Target.Digest.Encoded(), b.marker()))
	img := &Image{Layers: []Layer{{Blob: statement, DiffID: statement.Desc.Digest}}}
	return img.finishArtifact(ocispec.Image{
		Platform: ocispec.Platform{OS: "unknown", Architecture: "unknown"},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{statement.Desc.Digest}},
	})
}

// Signature makes an OCI artifact whose subject is the image. Name it by the
// tag schema, "repo:" + [SignatureTag], to find it as older tools do.
func (b *Builder) Signature(name string, of *Image) *Image {
	payload := newBlob("application/vnd.dev.cosign.simplesigning.v1+json",
		fmt.Appendf(nil, `{"critical":{"image":{"docker-manifest-digest":%q}},"serial":%q}`, of.Target.Digest, b.marker()))
	empty := newBlob(ocispec.MediaTypeEmptyJSON, []byte("{}"))
	img := &Image{Name: name, Config: empty, Layers: []Layer{{Blob: payload}}}
	subject := of.Target
	root, err := newJSONBlob(ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: "application/vnd.dev.cosign.artifact.sig.v1+json",
		Config:       empty.Desc,
		Layers:       []ocispec.Descriptor{payload.Desc},
		Subject:      &subject,
	})
	if err != nil {
		return img.failed(err)
	}
	root.hold(empty.Desc, payload.Desc)
	return img.setRoot(root)
}

// WithReferrers returns the image with artifacts whose subject it is, held by
// labels on its root as containerd's pull of referrers does.
func (i *Image) WithReferrers(artifacts ...*Image) *Image {
	c := *i
	c.extra = slices.Clone(i.extra)
	for _, a := range artifacts {
		c.extra = append(c.extra, a.Blobs()...)
		c.root.holdReferrer(a.Target.Digest)
		if a.err != nil {
			c.failed(a.err)
		}
	}
	return &c
}

// SignatureTag is the tag under which the signature of an image is found by
// the tag schema; kind is "sig", "att" or "sbom".
func SignatureTag(of *Image, kind string) string {
	return "sha256-" + of.Target.Digest.Encoded() + "." + kind
}

func (i *Image) finishArtifact(config ocispec.Image) *Image {
	blob, err := newJSONBlob(ocispec.MediaTypeImageConfig, config)
	if err != nil {
		return i.failed(err)
	}
	i.Config = blob
	return i.seal(ocispec.MediaTypeImageManifest)
}
