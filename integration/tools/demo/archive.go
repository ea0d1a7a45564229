package main

import (
	"context"
	"fmt"
	"os"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// importArchive imports the user's archive, compressed or not, as if it had
// been pulled months ago. What is not for this machine stays packed.
func (d demo) importArchive(ctx context.Context, e *imagestore.Embedded, store imagestore.Store) error {
	f, err := os.Open(d.archive)
	if err != nil {
		return err
	}
	defer f.Close()
	tar, err := compression.DecompressStream(f)
	if err != nil {
		return fmt.Errorf("reading %s: %w", d.archive, err)
	}
	defer tar.Close()
	then := d.now.Add(-months)
	records, err := store.Client.Import(store.At(then).Context(ctx), tar, containerd.WithAllPlatforms(true),
		containerd.WithSkipMissing(), containerd.WithImageRefTranslator(archive.AddRefPrefix("archive.example/yours")))
	if err != nil {
		return fmt.Errorf("importing %s: %w", d.archive, err)
	}
	for _, record := range records {
		fmt.Printf("# Imported %s\n", record.Name)
		if err := containerd.NewImage(store.Client, record).Unpack(store.Context(ctx), store.Snapshotter); err != nil {
			fmt.Printf("# It is not unpacked: %v\n", err)
		}
		if err := e.Backdate(store.Namespace, then, record.Target.Digest); err != nil {
			return err
		}
	}
	return nil
}
