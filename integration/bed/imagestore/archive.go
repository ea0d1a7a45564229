package imagestore

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/platforms"
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

// Import passes the image as an archive to containerd's import and unpacks
// it: the way of `ctr image import`. The index of an image that lacks
// platforms gets labels for the others only. Without names the image's own is
// used.
func (s Store) Import(ctx context.Context, img *Image, names ...string) error {
	if len(names) == 0 && img.Name != "" {
		names = []string{img.Name}
	}
	r, w := io.Pipe()
	var writer sync.WaitGroup
	writer.Go(func() { w.CloseWithError(img.Archive(w, names...)) })
	_, err := s.Client.Import(s.Context(ctx), r, containerd.WithSkipMissing(), withPlatforms(img))
	// Ends the writer also when the import stopped half way.
	r.CloseWithError(errors.New("import ended"))
	writer.Wait()
	if err != nil {
		return fmt.Errorf("importing %q: %w", img.Name, err)
	}
	return s.Unpack(ctx, img)
}

// withPlatforms chooses all platforms, or those present when some are not.
func withPlatforms(img *Image) containerd.ImportOpt {
	var present []ocispec.Platform
	for _, c := range img.Children {
		if !img.absent[c.Target.Digest] && c.Platform != nil {
			present = append(present, *c.Platform)
		}
	}
	if len(img.absent) == 0 || len(present) == 0 {
		return containerd.WithAllPlatforms(true)
	}
	present = append(present, ocispec.Platform{OS: "unknown", Architecture: "unknown"})
	return containerd.WithImportPlatform(platforms.Any(present...))
}

// ImportArchive imports an OCI or docker archive that any tool made, unpacks
// what is for this machine and returns the records made. A name in it that is
// only a tag, as umoci writes it, becomes repo + ":" + tag.
func (s Store) ImportArchive(ctx context.Context, path, repo string) ([]images.Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ctx = s.Context(ctx)
	recs, err := s.Client.Import(ctx, f, containerd.WithAllPlatforms(true), containerd.WithSkipMissing(),
		containerd.WithImageRefTranslator(archive.AddRefPrefix(repo)))
	if err != nil {
		return nil, fmt.Errorf("importing %s: %w", path, err)
	}
	for _, rec := range recs {
		if err := containerd.NewImage(s.Client, rec).Unpack(ctx, s.Snapshotter); err != nil {
			return nil, fmt.Errorf("unpacking %q of %s: %w", rec.Name, path, err)
		}
	}
	return recs, nil
}
