package read

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// texts keeps one of each text while lists are read: a digest or a chain ID is
// the name of an object and the value of labels, the parent of others, or what a
// lease holds, and the keys of labels repeat in every image.
type texts struct {
	mu    sync.Mutex
	known map[string]string
	// sets are the labels of records, of which most have the same.
	sets map[string]map[string]string
}

func newTexts() *texts {
	return &texts{known: make(map[string]string), sets: make(map[string]map[string]string)}
}

// one returns the text that is kept.
func (t *texts) one(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return keep(t.known, text, text)
}

func keep[T any](known map[string]T, key string, value T) T {
	if old, ok := known[key]; ok {
		return old
	}
	known[key] = value
	return value
}

// share makes labels use the texts that are kept.
func (t *texts) share(labels inventory.Labels) {
	for i := range labels {
		labels[i] = inventory.Label{Key: t.one(labels[i].Key), Value: t.one(labels[i].Value)}
	}
}

// shareImage makes a record use the texts that are kept, and labels that nobody
// changes together with the records that have the same.
func (t *texts) shareImage(image *images.Image) {
	image.Target.Digest = digest.Digest(t.one(image.Target.Digest.String()))
	image.Target.MediaType = t.one(image.Target.MediaType)
	if len(image.Labels) == 0 {
		return
	}
	var set strings.Builder
	for _, key := range slices.Sorted(maps.Keys(image.Labels)) {
		fmt.Fprintf(&set, "%q%q", key, image.Labels[key])
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	image.Labels = keep(t.sets, set.String(), image.Labels)
}

// shareResources makes what a lease holds use the texts that are kept.
func (t *texts) shareResources(resources []leases.Resource) []leases.Resource {
	for i := range resources {
		resources[i] = leases.Resource{ID: t.one(resources[i].ID), Type: t.one(resources[i].Type)}
	}
	return slices.Clip(resources)
}
