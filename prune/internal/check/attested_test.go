package check_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// attestedIndex is an index of manifests, of which some are attestations.
func attestedIndex(ms []string, attestations ...string) string {
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	for _, text := range ms {
		index.Manifests = append(index.Manifests, tw.Descriptor(text))
	}
	for _, text := range attestations {
		d := tw.Descriptor(text)
		d.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		d.Annotations = map[string]string{manifests.AnnotationReference: manifests.ReferenceAttestation}
		index.Manifests = append(index.Manifests, d)
	}
	return string(tw.Must(json.Marshal(index)))
}

// An attestation is nothing that runs: an index of which nothing else is
// complete is not.
func TestAttestationsDoNotRun(t *testing.T) {
	image, proof, proof2 := tw.ManifestOf("{}", ""), tw.ManifestOf(" {}", ""), tw.ManifestOf("{ }", "")
	of := func(text, layer string) tw.Thing {
		return tw.Blob(text, tw.RefContent("{}", ".config"), tw.RefContent(layer, ".l.0"))
	}
	index := func(text string, children ...string) tw.Thing {
		t := tw.Blob(text)
		for i, child := range children {
			tw.RefContent(child, fmt.Sprint(".m.", i))(&t)
		}
		return t
	}
	gone := tw.ManifestOf("{  }", "")
	proven, alone, bare, both := attestedIndex([]string{gone}, proof), attestedIndex(nil, proof, proof2), attestedIndex([]string{proof2}), attestedIndex([]string{image}, proof)
	s := tw.World{"default": {
		tw.Blob("{}"), tw.Blob("layer"), of(image, "layer"), of(proof, "layer"), of(proof2, "layer"),
		index(proven, gone, proof), index(alone, proof, proof2), index(bare, proof2), index(both, proof, image),
		index("{ an index that cannot be read", proof),
		tw.Record("x.example/proven:1", proven), tw.Record("x.example/alone:1", alone), tw.Record("x.example/bare:1", bare),
		tw.Record("x.example/both:1", both), tw.Record("x.example/unread:1", "{ an index that cannot be read"),
	}}.Build(t, t.TempDir())
	defer func() { tw.Must(0, s.Close()) }()
	found := map[string]string{}
	for _, f := range tw.Must(check.Check(context.Background(), s, tw.Started, check.CheckOptions{Read: read.ReadOptions{Procfs: tw.Process(t, 1)}})).Findings {
		if f.Problem == check.ProblemIncomplete {
			found[f.Object] = f.Meaning
		}
	}
	if len(found) != 2 || !strings.Contains(found["x.example/proven:1"], "is not in the store") || !strings.Contains(found["x.example/alone:1"], "is an attestation, not an image that can run") {
		t.Errorf("found %v", found)
	}
}
