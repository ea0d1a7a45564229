package manifests

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// A config's history tells of each layer, packed and unpacked, which command made it and
// when; steps without a layer do not count.
func TestOrigins(t *testing.T) {
	diffs := []digest.Digest{digest.FromString("a"), digest.FromString("b")}
	b := Built{layers: []digest.Digest{digest.FromString("1"), digest.FromString("2")}}
	at := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	rootfs := `"rootfs": {"diff_ids": ["` + string(diffs[0]) + `", "` + string(diffs[1]) + `"]}`
	first := inventory.Origin{Command: "ADD file:1 in /", At: at}
	second := inventory.Origin{Command: "apt-get update && apt-get install -y curl"}
	for history, want := range map[string]map[digest.Digest]inventory.Origin{
		`[{"created": "2026-01-05T12:00:00Z", "created_by": "/bin/sh -c #(nop)  ADD file:1 in / "}, {"created_by": "ENV A=B", "empty_layer": true},
		  {"created": "yesterday", "created_by": "/bin/sh -c apt-get update \t && apt-get install -y curl # buildkit"}]`: {
			b.layers[0]: first, diffs[0]: first, b.layers[1]: second, identity.ChainID(diffs): second,
		},
		`[{"created_by": "one step too few"}]`: nil,
		`[]`:                                   nil,
		`"text"`:                               nil,
	} {
		if diff := cmp.Diff(want, b.in([]byte(`{"history": `+history+`, `+rootfs+`}`))); diff != "" {
			t.Errorf("%s: %s", history, diff)
		}
	}
	if got := command(strings.Repeat("长", 1000)); len([]rune(got)) != maxCommand+1 {
		t.Errorf("a long command has %d characters", len([]rune(got)))
	}
}

// Of images that share all their layers one config is read, of those with the largest first.
func TestToldOrigins(t *testing.T) {
	ns := &inventory.Namespace{Name: "default", Blobs: make(map[digest.Digest]inventory.Blob)}
	image := func(name string, layers ...string) {
		labels := map[string]string{"containerd.io/gc.ref.content.config": "config " + name}
		for i, layer := range layers {
			labels["containerd.io/gc.ref.content.l."+string(rune('0'+i))] = layer
			ns.Blobs[digest.Digest(layer)] = inventory.Blob{Size: int64(len(layer))}
		}
		ns.Blobs[digest.Digest("manifest "+name)] = inventory.Blob{Size: 1}.Labelled(labels)
	}
	image("small", "base")
	image("large", "base", "a large layer")
	image("same", "base", "a large layer")
	image("other", "base", "other")
	var got []string
	for _, b := range ToldOrigins(ns) {
		got = append(got, string(b.Config))
	}
	if diff := cmp.Diff([]string{"config large", "config other"}, got); diff != "" {
		t.Error(diff)
	}
}
