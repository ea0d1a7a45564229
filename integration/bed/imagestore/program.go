package imagestore

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Program makes an image of one layer that holds a program, which must not
// need shared libraries, and runs it: at is its path in the image. Others can
// have it as their Base; their containers then have something to run.
func (b *Builder) Program(s Spec, at string, program []byte) *Image {
	s = b.complete(s)
	img := &Image{Name: s.Name, Platform: s.Platform}
	layerType, configType, manifestType := mediaTypes(s.Docker)
	layer, err := programLayer(at, program, layerType)
	if err != nil {
		return img.failed(err)
	}
	img.Layers = []Layer{layer}
	doc := b.config(s, img.DiffIDs())
	doc.Config.Cmd = []string{at}
	if img.Config, err = newJSONBlob(configType, doc); err != nil {
		return img.failed(err)
	}
	return img.seal(manifestType)
}

func programLayer(at string, program []byte, mediaType string) (Layer, error) {
	var packed bytes.Buffer
	diffID := digest.Canonical.Digester()
	gz, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return Layer{}, err
	}
	tw := tar.NewWriter(io.MultiWriter(gz, diffID.Hash()))
	err = tw.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg,
		Name:     strings.TrimPrefix(path.Clean(at), "/"),
		Mode:     0o755,
		Size:     int64(len(program)),
		Format:   tar.FormatPAX,
	})
	if err != nil {
		return Layer{}, err
	}
	if _, err := tw.Write(program); err != nil {
		return Layer{}, err
	}
	if err := tw.Close(); err != nil {
		return Layer{}, err
	}
	if err := gz.Close(); err != nil {
		return Layer{}, fmt.Errorf("packing %s: %w", at, err)
	}
	return Layer{Blob: newBlob(mediaType, packed.Bytes()), DiffID: diffID.Digest()}, nil
}
