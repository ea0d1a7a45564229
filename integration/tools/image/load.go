package main

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
)

// importInto imports the layout into a containerd, and unpacks it.
func importInto(ctx context.Context, dir, socket, namespace string) error {
	client, err := containerd.New(socket)
	if err != nil {
		return fmt.Errorf("connecting to containerd at %s: %w", socket, err)
	}
	defer client.Close()
	ctx = namespaces.WithNamespace(ctx, namespace)
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(packed(filepath.Join(dir, "oci"), writer)) }()
	// Content for other platforms is imported, so that the image can be copied on.
	records, err := client.Import(ctx, reader, containerd.WithAllPlatforms(true))
	_ = reader.Close()
	if err != nil {
		return fmt.Errorf("importing %s: %w", dir, err)
	}
	for _, record := range records {
		if err := containerd.NewImage(client, record).Unpack(ctx, ""); err != nil {
			return fmt.Errorf("unpacking %s: %w", record.Name, err)
		}
		fmt.Println(record.Name)
	}
	return nil
}

// packed writes a folder as a tar archive.
func packed(dir string, w io.Writer) error {
	archive := tar.NewWriter(w)
	if err := archive.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	return archive.Close()
}
