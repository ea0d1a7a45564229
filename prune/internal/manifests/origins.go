package manifests

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

const (
	// MaxOrigins is how many configs are read for the origins of layers: those of the
	// images with the largest layers. Most share theirs.
	MaxOrigins = 2000
	// maxCommand is how much of a command is kept; builds write whole scripts there.
	maxCommand = 300
)

// Built is an image with layers, by the labels of its manifest.
type Built struct {
	Config digest.Digest
	layers []digest.Digest
	bytes  int64
}

// ToldOrigins lists the images of a namespace whose configs tell the origins of its
// layers, those with the largest layers first, and none whose layers others tell of.
func ToldOrigins(ns *inventory.Namespace) []Built {
	var all []Built
	for _, blob := range ns.Blobs {
		if config := blob.Labels.Get(store.ContentLabel + "config"); config != "" {
			b := Built{Config: digest.Digest(config), layers: layersIn(blob.Labels)}
			for _, layer := range b.layers {
				b.bytes = inventory.Saturate(b.bytes, ns.Blobs[layer].Size)
			}
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b Built) int {
		return cmp.Or(cmp.Compare(b.bytes, a.bytes), cmp.Compare(a.Config, b.Config))
	})
	told := make(map[digest.Digest]bool)
	var chosen []Built
	for _, b := range all {
		if len(chosen) < MaxOrigins && slices.ContainsFunc(b.layers, func(layer digest.Digest) bool { return !told[layer] }) {
			chosen = append(chosen, b)
			for _, layer := range b.layers {
				told[layer] = true
			}
		}
	}
	return chosen
}

// layersIn returns the layers that the labels of a manifest name, in their order.
func layersIn(labels inventory.Labels) []digest.Digest {
	layers := make(map[int]digest.Digest)
	for _, label := range labels {
		if number, ok := strings.CutPrefix(label.Key, store.ContentLabel+"l."); ok {
			if n, err := strconv.Atoi(number); err == nil {
				layers[n] = digest.Digest(label.Value)
			}
		}
	}
	var all []digest.Digest
	for _, n := range slices.Sorted(maps.Keys(layers)) {
		all = append(all, layers[n])
	}
	return all
}

// Origins reads the config of an image, and tells of its layers, packed and unpacked,
// where they come from. A config that cannot be read, or whose history does not fit its
// layers, tells nothing.
func (b Built) Origins(ctx context.Context, ns *inventory.Namespace, provider content.Provider) map[digest.Digest]inventory.Origin {
	text, ok := readSmall(ctx, ns, provider, b.Config)
	if !ok {
		return nil
	}
	return b.in(text)
}

func (b Built) in(config []byte) map[digest.Digest]inventory.Origin {
	var doc struct {
		History []struct {
			Created    string `json:"created"`
			CreatedBy  string `json:"created_by"`
			EmptyLayer bool   `json:"empty_layer"`
		} `json:"history"`
		RootFS struct {
			DiffIDs []digest.Digest `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if strictjson.Unmarshal(config, &doc) != nil {
		return nil
	}
	var steps []inventory.Origin
	for _, h := range doc.History {
		if !h.EmptyLayer {
			at, _ := time.Parse(time.RFC3339, h.Created) // zero is not known
			steps = append(steps, inventory.Origin{Command: command(h.CreatedBy), At: at})
		}
	}
	if len(steps) != len(doc.RootFS.DiffIDs) || len(steps) != len(b.layers) {
		return nil
	}
	origins := make(map[digest.Digest]inventory.Origin)
	for i, chain := range identity.ChainIDs(slices.Clone(doc.RootFS.DiffIDs)) {
		origins[b.layers[i]], origins[chain] = steps[i], steps[i]
	}
	return origins
}

// command is what a step of a build did, without what builders write before each.
func command(by string) string {
	for _, before := range []string{"/bin/sh -c #(nop)", "/bin/sh -c"} {
		if rest, found := strings.CutPrefix(by, before); found {
			by = rest
			break
		}
	}
	by = strings.Join(strings.Fields(strings.TrimSuffix(by, "# buildkit")), " ")
	if runes := []rune(by); len(runes) > maxCommand {
		by = string(runes[:maxCommand]) + "…"
	}
	return by
}
