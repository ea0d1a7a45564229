package lock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	// MediaTypePlan is the media type of a plan blob.
	MediaTypePlan = "application/vnd.ctr-prune.plan.v1+json"
	// MaxDoc is the longest document that is written, or read, as a plan: no
	// more than any other document in a store.
	MaxDoc = 4 << 20
	// MaxTargets is how many targets one plan blob may name. A label costs
	// about 120 bytes on the wire, far less than the 16 MiB that containerd
	// accepts in one message even when several such blobs are listed in one
	// answer. containerd writes all labels of a blob again when one goes, and a
	// large run gives its targets up in many steps.
	MaxTargets = 1000

	labelPlan = "ctr-prune/plan"
)

// Hold writes doc as a blob under the run lease, with labels that make
// containerd's collector follow it to each target. From its return until the
// run lease goes, or the target is released, nothing that a target reaches can
// be collected.
func Hold(ctx context.Context, blobs content.Store, doc []byte, targets []digest.Digest) (Holding, error) {
	if len(targets) > MaxTargets {
		return Holding{}, fmt.Errorf("a plan blob names %d targets, at most %d are allowed", len(targets), MaxTargets)
	}
	if len(doc) > MaxDoc {
		return Holding{}, fmt.Errorf("a plan blob has %d bytes, at most %d are allowed", len(doc), MaxDoc)
	}
	labels := map[string]string{labelPlan: "v2"}
	keys := make(map[digest.Digest][]string, len(targets))
	for i, target := range targets {
		key := store.ContentLabel + strconv.Itoa(i)
		labels[key] = target.String()
		keys[target] = append(keys[target], key)
	}
	desc := ocispec.Descriptor{MediaType: MediaTypePlan, Digest: digest.FromBytes(doc), Size: int64(len(doc))}
	ref := "ctr-prune-plan-" + desc.Digest.String()
	if err := writeOnce(leases.WithLease(ctx, ours.RunID), blobs, ref, doc, desc, labels); err != nil {
		return Holding{}, fmt.Errorf("writing the plan blob %s: %w", desc.Digest, err)
	}
	return Holding{blob: desc.Digest, keys: keys}, nil
}

// Holding is a plan blob with the labels that hold its targets.
type Holding struct {
	blob digest.Digest
	keys map[digest.Digest][]string
}

// Release takes off the labels that hold the targets, as far as this blob does.
// The next garbage collection removes of them what nothing else refers to.
func (h Holding) Release(ctx context.Context, blobs content.Manager, targets []digest.Digest) error {
	cleared := make(map[string]string)
	for _, target := range targets {
		for _, key := range h.keys[target] {
			cleared[key] = "" // an empty value deletes a label
		}
	}
	if len(cleared) == 0 {
		return nil
	}
	if err := store.Relabel(ctx, blobs, h.blob, cleared); err != nil {
		return fmt.Errorf("removing the labels of plan blob %s: %w", h.blob, err)
	}
	return nil
}

// writeOnce does what content.WriteBlob does, but for its waiting: that takes
// every ErrUnavailable for an upload of the same name, which no plan has, and
// so waits for a containerd that has died until ctx ends.
func writeOnce(ctx context.Context, blobs content.Store, ref string, doc []byte, desc ocispec.Descriptor, labels map[string]string) (err error) {
	w, err := blobs.Writer(ctx, content.WithRef(ref), content.WithDescriptor(desc))
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	return content.Copy(ctx, w, bytes.NewReader(doc), desc.Size, desc.Digest, content.WithLabels(labels))
}
