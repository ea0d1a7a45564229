package store

import (
	"testing"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

func TestReadBlob(t *testing.T) {
	ctx, blobs := contentStore(t)
	dgst := put(ctx, blobs, "twelve bytes")
	if b, err := ReadBlob(ctx, blobs, dgst, 12); string(b) != "twelve bytes" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	if b, err := ReadBlob(ctx, blobs, dgst, 6); string(b) != "twelve" || err != nil {
		t.Errorf("a part: got %q, %v", b, err)
	}
	if _, err := ReadBlob(ctx, blobs, dgst, 13); err == nil {
		t.Error("more than there is could be read")
	}
	if b, err := ReadBlob(ctx, blobs, put(ctx, blobs, " "), 0); len(b) != 0 || err != nil {
		t.Errorf("nothing: got %q, %v", b, err)
	}
	if _, err := ReadBlob(ctx, blobs, dgst, -1); !errdefs.IsDataLoss(err) {
		t.Errorf("a size below zero: %v", err)
	}
	if _, err := ReadBlob(ctx, blobs, digest.FromString("absent"), 1); !errdefs.IsNotFound(err) {
		t.Errorf("an absent blob: %v", err)
	}
}
