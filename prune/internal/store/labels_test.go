package store

import (
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
)

func TestUnlabel(t *testing.T) {
	ctx, blobs := contentStore(t)
	all := map[string]string{
		"containerd.io/gc.ref.snapshot.overlayfs":   "top",
		"containerd.io/gc.ref.snapshot.native/name": "other",
		"containerd.io/gc.ref.content.0":            digest.FromString("x").String(),
		"containerd.io/distribution.source.x":       "y",
	}
	dgst := put(ctx, blobs, "config")
	must(blobs.Update(ctx, content.Info{Digest: dgst, Labels: all}))

	found := SnapshotLabels(all)
	want := map[string]string{
		"containerd.io/gc.ref.snapshot.overlayfs": "top", "containerd.io/gc.ref.snapshot.native/name": "other",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Fatalf("snapshot labels (-want +got):\n%s", diff)
	}
	must(0, Unlabel(ctx, blobs, dgst, found))
	left := must(blobs.Info(ctx, dgst)).Labels
	if diff := cmp.Diff(map[string]string{
		"containerd.io/gc.ref.content.0": all["containerd.io/gc.ref.content.0"], "containerd.io/distribution.source.x": "y",
	}, left); diff != "" {
		t.Errorf("labels left (-want +got):\n%s", diff)
	}
	must(0, Unlabel(ctx, blobs, dgst, found)) // they are gone: that is what was wanted
	must(0, Relabel(ctx, blobs, dgst, found))
	if diff := cmp.Diff(all, must(blobs.Info(ctx, dgst)).Labels); diff != "" {
		t.Errorf("labels given back (-want +got):\n%s", diff)
	}
	if err := Unlabel(ctx, blobs, digest.FromString("absent"), found); !errdefs.IsNotFound(err) {
		t.Errorf("an absent config: %v", err)
	}
}

func TestSnapshotLabelsNone(t *testing.T) {
	for _, labels := range []map[string]string{nil, {"containerd.io/gc.ref.snapshot": "no snapshotter", "a": "b"}} {
		if found := SnapshotLabels(labels); found != nil {
			t.Errorf("%v has %v", labels, found)
		}
	}
}
