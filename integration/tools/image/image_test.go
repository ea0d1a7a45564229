package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/google/go-cmp/cmp"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// written writes an image of two files.
func written(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	o := options{out: filepath.Join(dir, "out"), name: "registry.example/ctr-prune", version: "v1.2.3", revision: "abc", created: time.Unix(1_700_000_000, 0).UTC()}
	for _, arch := range []string{"amd64", "arm64"} {
		p := platform{arch, filepath.Join(dir, arch)}
		err := errors.Join(os.Mkdir(p.dir, 0o700),
			os.WriteFile(filepath.Join(p.dir, "ctr-prune"), []byte("program for "+arch), 0o700),
			os.WriteFile(filepath.Join(p.dir, "ctr-prune.cdx.json"), []byte(`{"bomFormat":"CycloneDX"}`), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		o.platforms = append(o.platforms, p)
	}
	if err := o.write(); err != nil {
		t.Fatal(err)
	}
	return o.out
}

func TestSameBytesEachTime(t *testing.T) {
	files := func(dir string) map[string]string {
		all := map[string]string{}
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			body, err := os.ReadFile(filepath.Join(dir, path))
			all[path] = string(body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	first, second := files(written(t)), files(written(t))
	if len(first) < 14 {
		t.Errorf("only %d files are written", len(first))
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Errorf("two images differ:\n%s", diff)
	}
}

// A containerd takes the layout, and has one file for each platform and a statement
// about each.
func TestContainerdImportsTheImage(t *testing.T) {
	for _, version := range []parts.Part{parts.Containerd24, parts.Containerd17} {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			d := daemon.Start(t, daemon.Options{Version: version, NoSync: true})
			if err := importInto(t.Context(), written(t), d.Address(), "k8s.io"); err != nil {
				t.Fatal(err)
			}
			client, err := containerd.New(d.Address())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			ctx := namespaces.WithNamespace(t.Context(), "k8s.io")
			list, err := client.ImageService().List(ctx)
			if err != nil || len(list) != 1 || list[0].Name != "registry.example/ctr-prune:v1.2.3" {
				t.Fatalf("images are %v, %v", list, err)
			}
			platforms, statements := 0, 0
			err = images.Walk(ctx, images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
				body, err := content.ReadBlob(ctx, client.ContentStore(), desc)
				switch {
				case err != nil:
					return nil, err
				case images.IsLayerType(desc.MediaType):
					wantOneFile(t, body)
					platforms++
				case desc.MediaType == typeInToto:
					if !bytes.Contains(body, []byte(`"bomFormat":"CycloneDX"`)) {
						t.Errorf("a statement is %s", body)
					}
					statements++
				}
				return images.Children(ctx, client.ContentStore(), desc)
			}), list[0].Target)
			if err != nil || platforms != 2 || statements != 2 {
				t.Errorf("%d platforms and %d statements, %v", platforms, statements, err)
			}
		})
	}
}

// wantOneFile fails the test unless a layer has the program and nothing else.
func wantOneFile(t *testing.T, layer []byte) {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(plain)
	header, err := archive.Next()
	if err != nil || header.Name != "ctr-prune" || header.Mode != 0o755 || header.Uid != 0 {
		t.Errorf("the first file is %+v, %v", header, err)
	}
	if body, err := io.ReadAll(archive); err != nil || !bytes.HasPrefix(body, []byte("program for a")) {
		t.Errorf("it has %s, %v", body, err)
	}
	if header, err = archive.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("there is more: %+v, %v", header, err)
	}
}
