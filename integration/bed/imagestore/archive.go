package imagestore

import (
	"archive/tar"
	"fmt"
	"io"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Archive writes the image as an OCI archive (a tar of an image layout) in
// which each name is an entry of the index. Blobs that the image lacks are
// not in it.
func (i *Image) Archive(w io.Writer, names ...string) error {
	if i.err != nil {
		return i.err
	}
	index := newIndex()
	for _, name := range names {
		desc := i.Target
		desc.Annotations = map[string]string{
			"io.containerd.image.name": name,
			ocispec.AnnotationRefName:  refName(name),
		}
		index.Manifests = append(index.Manifests, desc)
	}
	if len(names) == 0 {
		index.Manifests = append(index.Manifests, i.Target)
	}
	top, err := newJSONBlob(ocispec.MediaTypeImageIndex, index)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	files := []struct {
		name string
		data []byte
	}{
		{ocispec.ImageLayoutFile, []byte(`{"imageLayoutVersion":"1.0.0"}`)},
		{ocispec.ImageIndexFile, top.Data},
	}
	for _, b := range i.Blobs() {
		path := fmt.Sprintf("%s/%s/%s", ocispec.ImageBlobsDir, b.Desc.Digest.Algorithm(), b.Desc.Digest.Encoded())
		files = append(files, struct {
			name string
			data []byte
		}{path, b.Data})
	}
	for _, f := range files {
		if err := addFile(tw, f.name, f.data); err != nil {
			return fmt.Errorf("archiving %s: %w", f.name, err)
		}
	}
	return tw.Close()
}

// refName is the tag of a name, which is what other tools look for.
func refName(name string) string {
	for n := len(name) - 1; n >= 0 && name[n] != '/'; n-- {
		if name[n] == ':' {
			return name[n+1:]
		}
	}
	return "latest"
}
