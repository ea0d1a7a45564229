package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
)

const (
	// ContentLabel starts the labels by which an object keeps blobs. containerd
	// writes them when it fetches an image (core/images, ChildGCLabels): config,
	// l.<n> for layers, m.<n> for the manifests of an index.
	ContentLabel = "containerd.io/gc.ref.content."
	// SnapshotLabel starts the label by which a config blob keeps the unpacked
	// snapshots of its image: the snapshotter's name follows, the value is the
	// key of the topmost snapshot.
	SnapshotLabel = "containerd.io/gc.ref.snapshot."
	// ImageLabel starts the labels by which an object keeps image records.
	ImageLabel = "containerd.io/gc.ref.image"
	// RootLabel is the label that makes the collector keep an object.
	RootLabel = "containerd.io/gc.root"
)

// SnapshotLabels returns the snapshot labels among labels, nil if none.
func SnapshotLabels(labels map[string]string) map[string]string {
	var found map[string]string
	for key, value := range labels {
		if !strings.HasPrefix(key, SnapshotLabel) {
			continue
		}
		if found == nil {
			found = make(map[string]string)
		}
		found[key] = value
	}
	return found
}

// Unlabel removes the given snapshot labels from a config blob, so that what
// still holds the config no longer holds the snapshots of an image that is
// gone.
func Unlabel(ctx context.Context, store content.Manager, config digest.Digest, labels map[string]string) error {
	cleared := make(map[string]string, len(labels))
	for key := range labels {
		cleared[key] = "" // an empty value deletes a label
	}
	if err := Relabel(ctx, store, config, cleared); err != nil {
		return fmt.Errorf("removing the snapshot labels of config %s: %w", config, err)
	}
	return nil
}

// Relabel sets the given labels of a blob and leaves its other labels alone.
func Relabel(ctx context.Context, store content.Manager, dgst digest.Digest, labels map[string]string) error {
	fields := make([]string, 0, len(labels))
	for key := range labels {
		fields = append(fields, "labels."+key)
	}
	_, err := store.Update(ctx, content.Info{Digest: dgst, Labels: labels}, fields...)
	return err
}
