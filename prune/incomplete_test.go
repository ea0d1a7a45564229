package prune

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// blobsOf makes the blobs of a namespace: each with what it refers to.
func blobsOf(refs map[string]map[string]string) *inventory.Namespace {
	ns := &inventory.Namespace{Name: "default", Blobs: make(map[digest.Digest]content.Info)}
	for name, children := range refs {
		labels := make(map[string]string)
		for key, child := range children {
			labels["containerd.io/gc.ref.content."+key] = digest.FromString(child).String()
		}
		ns.Blobs[digest.FromString(name)] = content.Info{Digest: digest.FromString(name), Labels: labels}
	}
	return ns
}

func TestLacks(t *testing.T) {
	ns := blobsOf(map[string]map[string]string{
		"config": nil, "layer": nil,
		"whole":     {"config": "config", "l.0": "layer"},
		"broken":    {"config": "config", "l.0": "absent layer"},
		"no config": {"config": "absent config"},
		"index":     {"m.0": "absent manifest", "m.1": "whole"},
		"inner":     {"m.0": "broken"},
		"shared":    {"m.0": "broken", "m.1": "inner"},
		"circle":    {"m.0": "circle"},
		"cache":     {"l.0": "absent layer"},
	})
	l := manifests.NewLacker(ns)
	for name, want := range map[string]string{
		"whole": "", "index": "", "cache": "",
		"broken": "neither in the store nor unpacked", "no config": "its config", "gone": "is not in the store",
		"shared": "none of its platforms is complete", "circle": "refers to itself",
	} {
		got := l.Lacks(digest.FromString(name)).Reason
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s lacks %q, want %q", name, got, want)
		}
	}
}

// attestedIndex is an index of manifests, of which some are attestations.
func attestedIndex(ms []string, attestations ...string) string {
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	for _, text := range ms {
		index.Manifests = append(index.Manifests, descriptor(text))
	}
	for _, text := range attestations {
		d := descriptor(text)
		d.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		d.Annotations = map[string]string{manifests.AnnotationReference: manifests.ReferenceAttestation}
		index.Manifests = append(index.Manifests, d)
	}
	return string(must(json.Marshal(index)))
}

// An attestation is nothing that runs: an index of which nothing else is
// complete is not.
func TestAttestationsDoNotRun(t *testing.T) {
	image, proof, proof2 := manifestOf("{}", ""), manifestOf(" {}", ""), manifestOf("{ }", "")
	of := func(text, layer string) thing {
		return blob(text, refContent("{}", ".config"), refContent(layer, ".l.0"))
	}
	index := func(text string, children ...string) thing {
		t := blob(text)
		for i, child := range children {
			refContent(child, fmt.Sprint(".m.", i))(&t)
		}
		return t
	}
	gone := manifestOf("{  }", "")
	proven, alone, bare, both := attestedIndex([]string{gone}, proof), attestedIndex(nil, proof, proof2), attestedIndex([]string{proof2}), attestedIndex([]string{image}, proof)
	s := world{"default": {
		blob("{}"), blob("layer"), of(image, "layer"), of(proof, "layer"), of(proof2, "layer"),
		index(proven, gone, proof), index(alone, proof, proof2), index(bare, proof2), index(both, proof, image),
		index("{ an index that cannot be read", proof),
		record("x.example/proven:1", proven), record("x.example/alone:1", alone), record("x.example/bare:1", bare),
		record("x.example/both:1", both), record("x.example/unread:1", "{ an index that cannot be read"),
	}}.build(t, t.TempDir())
	defer func() { must(0, s.Close()) }()
	found := map[string]string{}
	for _, f := range must(check.Check(context.Background(), s, started, check.CheckOptions{Read: read.ReadOptions{Procfs: process(t, 1)}})) {
		if f.Problem == check.ProblemIncomplete {
			found[f.Object] = f.Meaning
		}
	}
	if len(found) != 2 || !strings.Contains(found["x.example/proven:1"], "is not in the store") || !strings.Contains(found["x.example/alone:1"], "is an attestation, which does not run") {
		t.Errorf("found %v", found)
	}
}

// A name goes into a command to copy only if a shell takes it as it is.
func TestPullName(t *testing.T) {
	for name, want := range map[string]string{
		"docker.io/library/app:1": "docker.io/library/app:1",
		"$(reboot)":               "REFERENCE", "a;b": "REFERENCE", "--all": "REFERENCE", "a b": "REFERENCE", "a\nb": "REFERENCE", "": "REFERENCE",
	} {
		if got := manifests.PullName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}
