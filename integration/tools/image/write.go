package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// options are what an image is made of.
type options struct {
	platforms               []platform
	out                     string
	name, version, revision string
	created                 time.Time
}

// platform is a folder with the program for one architecture, and its bill of materials.
type platform struct{ arch, dir string }

// Of the attestation, as BuildKit writes them and registries and Docker know them
// (docs/attestations/attestation-storage.md of BuildKit).
const (
	typeInToto         = "application/vnd.in-toto+json"
	typeStatement      = "https://in-toto.io/Statement/v0.1"
	predicateCycloneDX = "https://cyclonedx.org/bom"
)

// write writes the layout and an archive for each platform.
func (o options) write() error {
	l, err := newLayout(filepath.Join(o.out, "oci"))
	if err != nil {
		return err
	}
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Annotations: o.labels()}
	var attestations []ocispec.Descriptor
	for _, p := range o.platforms {
		manifest, attestation, err := o.writePlatform(l, p)
		if err != nil {
			return fmt.Errorf("writing the image for %s: %w", p.arch, err)
		}
		index.Manifests = append(index.Manifests, manifest)
		attestations = append(attestations, attestation)
	}
	index.Manifests = append(index.Manifests, attestations...)
	root, err := l.document(ocispec.MediaTypeImageIndex, index)
	if err != nil {
		return err
	}
	root.Annotations = map[string]string{ocispec.AnnotationRefName: o.version, "io.containerd.image.name": o.name + ":" + o.version}
	return l.end(root)
}

// writePlatform adds the image for one platform, and the attestation about it, to the layout, and
// writes its archive.
func (o options) writePlatform(l layout, p platform) (manifest, attestation ocispec.Descriptor, err error) {
	plain, err := o.layer(filepath.Join(p.dir, "ctr-prune"))
	if err != nil {
		return manifest, attestation, err
	}
	layer, err := l.blob(ocispec.MediaTypeImageLayerGzip, zipped(plain))
	if err != nil {
		return manifest, attestation, err
	}
	config, err := l.document(ocispec.MediaTypeImageConfig, o.config(p.arch, plain))
	if err != nil {
		return manifest, attestation, err
	}
	if manifest, err = l.document(ocispec.MediaTypeImageManifest, manifestOf(config, layer)); err != nil {
		return manifest, attestation, err
	}
	manifest.Platform = &ocispec.Platform{OS: "linux", Architecture: p.arch}
	if err := o.archive(l, p.arch, config, plain); err != nil {
		return manifest, attestation, err
	}
	attestation, err = o.attest(l, manifest, filepath.Join(p.dir, "ctr-prune.cdx.json"))
	return manifest, attestation, err
}

func manifestOf(config ocispec.Descriptor, layers ...ocispec.Descriptor) ocispec.Manifest {
	return ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: layers}
}

// layer is a tar archive that has nothing but the program.
func (o options) layer(program string) ([]byte, error) {
	body, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	return o.tar(file{"ctr-prune", body, 0o755})
}

// file is one of an archive.
type file struct {
	name string
	body []byte
	mode int64
}

// tar puts files into an archive, which depends on nothing else.
func (o options) tar(files ...file) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Typeflag: tar.TypeReg, Mode: f.mode, Size: int64(len(f.body)), ModTime: o.created, Format: tar.FormatUSTAR}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return buffer.Bytes(), err
}

// zipped compresses into memory, which does not fail.
func zipped(plain []byte) []byte {
	var buffer bytes.Buffer
	w, _ := gzip.NewWriterLevel(&buffer, gzip.BestCompression)
	_, _ = w.Write(plain)
	_ = w.Close()
	return buffer.Bytes()
}

// labels say what the image is, with the standard keys.
func (o options) labels() map[string]string {
	labels := map[string]string{
		ocispec.AnnotationTitle: "ctr-prune", ocispec.AnnotationDescription: "removes the images that nothing uses from containerd",
		ocispec.AnnotationVersion: o.version, ocispec.AnnotationLicenses: "Apache-2.0", ocispec.AnnotationCreated: o.created.Format(time.RFC3339),
	}
	if o.revision != "" {
		labels[ocispec.AnnotationRevision] = o.revision
	}
	return labels
}

// config names no user: root is needed for most stores, and whoever does not need root says so.
func (o options) config(arch string, layer []byte) ocispec.Image {
	return ocispec.Image{
		Created: &o.created, Platform: ocispec.Platform{OS: "linux", Architecture: arch},
		Config: ocispec.ImageConfig{Entrypoint: []string{"/ctr-prune"}, Labels: o.labels()},
		RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromBytes(layer)}},
	}
}

// archive writes a platform's image as `docker save` does.
func (o options) archive(l layout, arch string, config ocispec.Descriptor, layer []byte) error {
	body, err := os.ReadFile(filepath.Join(l.dir, ocispec.ImageBlobsDir, "sha256", config.Digest.Encoded()))
	if err != nil {
		return err
	}
	list, err := json.Marshal([]map[string]any{{
		"Config": config.Digest.Encoded() + ".json", "RepoTags": []string{o.name + ":" + o.version}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	all, err := o.tar(file{"manifest.json", list, 0o644}, file{config.Digest.Encoded() + ".json", body, 0o644}, file{"layer.tar", layer, 0o644})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(o.out, "ctr-prune-"+arch+".docker.tar"), all, 0o644)
}

// attest adds the bill of materials of an image, as a statement about its manifest.
func (o options) attest(l layout, manifest ocispec.Descriptor, bill string) (ocispec.Descriptor, error) {
	body, err := os.ReadFile(bill)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	statement, err := l.document(typeInToto, map[string]any{
		"_type": typeStatement, "predicateType": predicateCycloneDX, "predicate": json.RawMessage(body),
		"subject": []any{map[string]any{"name": o.name, "digest": map[string]string{"sha256": manifest.Digest.Encoded()}}},
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	statement.Annotations = map[string]string{"in-toto.io/predicate-type": predicateCycloneDX}
	config, err := l.document(ocispec.MediaTypeImageConfig, ocispec.Image{
		Platform: ocispec.Platform{OS: "unknown", Architecture: "unknown"}, RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{statement.Digest}},
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	attestation, err := l.document(ocispec.MediaTypeImageManifest, manifestOf(config, statement))
	attestation.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	attestation.Annotations = map[string]string{
		"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": manifest.Digest.String(),
	}
	return attestation, err
}
