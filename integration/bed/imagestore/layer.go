package imagestore

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Layer is one gzip'd tar of files.
type Layer struct {
	Blob
	// DiffID is the digest of the tar before compression.
	DiffID digest.Digest
}

// layer makes a layer of about size bytes before compression. A marker file
// makes it unlike any other.
func (b *Builder) layer(size int, mediaType string) (Layer, error) {
	var packed bytes.Buffer
	diffID := digest.Canonical.Digester()
	gz, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return Layer{}, err
	}
	tw := tar.NewWriter(io.MultiWriter(gz, diffID.Hash()))
	if err := b.fill(tw, size); err != nil {
		return Layer{}, err
	}
	if err := tw.Close(); err != nil {
		return Layer{}, err
	}
	if err := gz.Close(); err != nil {
		return Layer{}, err
	}
	return Layer{Blob: newBlob(mediaType, packed.Bytes()), DiffID: diffID.Digest()}, nil
}

func (b *Builder) fill(tw *tar.Writer, size int) error {
	marker := b.marker()
	if err := addFile(tw, "var/lib/layers/"+strings.ReplaceAll(marker, "/", "-"), []byte(marker)); err != nil {
		return err
	}
	seen := map[string]bool{}
	for size > 0 {
		name, data := b.pick(min(size, 64<<10))
		size -= len(data)
		if seen[name] { // a name twice in one layer is no image anybody has
			continue
		}
		seen[name] = true
		if err := addFile(tw, name, data); err != nil {
			return err
		}
	}
	return nil
}

// addFile writes a file that belongs to root, so that a user namespace with
// one mapped user can unpack it.
func addFile(tw *tar.Writer, name string, data []byte) error {
	err := tw.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg,
		Name:     strings.TrimPrefix(path.Clean(name), "/"),
		Mode:     0o644,
		Size:     int64(len(data)),
		Format:   tar.FormatPAX,
	})
	if err != nil {
		return err
	}
	_, err = tw.Write(data)
	return err
}

// layerType returns the media type of layers and the one of their image's
// config and manifest.
func mediaTypes(docker bool) (layer, config, manifest string) {
	if docker {
		return "application/vnd.docker.image.rootfs.diff.tar.gzip",
			"application/vnd.docker.container.image.v1+json",
			"application/vnd.docker.distribution.manifest.v2+json"
	}
	return ocispec.MediaTypeImageLayerGzip, ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageManifest
}
