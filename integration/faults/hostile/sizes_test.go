package hostile

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// liars are sizes that no blob here has: three of them are more than a sum can
// hold.
var liars = []int64{1 << 62, 1 << 62, math.MaxInt64, 10 << 30, -1, math.MinInt64, math.MinInt64 + 1, 0}

// lies plants a manifest with a config and a layer of each size, for images, a
// lease, and nobody.
func (h *host) lies(e *imagestore.Embedded) {
	h.t.Helper()
	var blobs []imagestore.Plant
	var records []images.Image
	for i, size := range liars {
		parts := [3]imagestore.Plant{}
		for n, what := range []string{"manifest", "config", "layer"} {
			parts[n] = imagestore.Plant{Digest: numbered(what, i), Size: size, Lies: true, Data: []byte(what)}
		}
		parts[0].Data = fmt.Appendf(nil, `{"mediaType":%q,"config":{"digest":%q,"size":%d},"layers":[{"digest":%q,"size":%d}]}`,
			ocispec.MediaTypeImageManifest, parts[1].Digest, size, parts[2].Digest, size)
		parts[0].Labels = map[string]string{gcPrefix + "ref.content.config": parts[1].Digest.String(), gcPrefix + "ref.content.l.0": parts[2].Digest.String()}
		blobs = append(blobs, parts[:]...)
		blobs = append(blobs, imagestore.Plant{Digest: numbered("garbage", i), Size: size, Lies: true, Data: []byte("garbage")},
			imagestore.Plant{Digest: numbered("leased", i), Size: size, Lies: true, Data: []byte("leased")})
		records = append(records, images.Image{
			Name: fmt.Sprintf("liar.example/a:%d", i), Target: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: parts[0].Digest, Size: 1},
		})
	}
	h.must(e.Plant("default", blobs...), e.Records(h.t.Context(), "default", records...))
	var held []clientleases.Resource
	for i, size := range liars {
		value := map[string]string{"size": string(binary.AppendVarint(nil, size))} // no API takes one below one
		h.must(e.Bucket(value, "v1", "default", "images", records[i].Name, "target"))
		held = append(held, imagestore.ContentResource(numbered("leased", i)))
	}
	h.must(e.Store("default").Lease(h.t.Context(), imagestore.LeaseSpec{ID: "liar", Expires: time.Now().Add(time.Hour), Resources: held}))
}

// TestSizes sums sizes that cannot be: no sum wraps, none is below zero.
func TestSizes(t *testing.T) {
	everywhere(t, func(h *host, e *imagestore.Embedded) { h.lies(e) }, func(h *host) {
		h.d.Expect(prune.ProblemDamaged) // the files are not of the sizes that are listed
		before := h.state()
		for _, args := range [][]string{
			{"--all", "--dry-run"}, {"df"}, {"df", "-v"}, {"check"}, {"leases"}, {"explain", "liar.example/a:0"}, {"explain", "liar.example/a:5"}, {"--all", "--dry-run", "--filter", "label!=x"},
		} {
			r := h.run(args...)
			if strings.Contains(r.Stdout, "-8EB") || strings.Contains(r.Stdout, "-9") || strings.Contains(r.Stdout, "-1B") {
				h.t.Errorf("%q shows a size below zero:\n%s", args, r.Stdout)
			}
			if r.Code != programs.ExitDone && args[0] != "check" {
				h.t.Errorf("%q: exit code %d: %s", args, r.Code, r.Stderr)
			}
			checkNumbers(h, h.run(append(args, "--format", "json")...))
		}
		h.same(before)
		report := h.run("--all", "--force", "--format", "json").want(programs.ExitDone)
		checkNumbers(h, report)
		doc := parsed[prune.Document](report)
		if doc.Predicted.TotalBytes != math.MaxInt64 || doc.Predicted.ContentBytes != math.MaxInt64 || doc.Reclaimed.Blobs != doc.Predicted.Blobs || doc.Reclaimed.Blobs != 3*len(liars) {
			h.t.Errorf("predicted %+v, reclaimed %+v", doc.Predicted, doc.Reclaimed)
		}
		after := h.state()
		if freed := oracle.DiskFreed(before, after); doc.Reclaimed.ContentBytes+doc.Garbage.ContentBytes != freed {
			h.t.Errorf("reclaimed %+v, garbage %+v, the files say %d bytes", doc.Reclaimed, doc.Garbage, freed)
		}
		if left := after.Namespaces["default"]; len(left.Images) != 0 || len(left.Content) != len(liars) {
			h.t.Errorf("left are %d records and %d blobs", len(left.Images), len(left.Content))
		}
	})
}

// checkNumbers fails the test if a document has a number below zero.
func checkNumbers(h *host, r result) {
	h.t.Helper()
	var visit func(where string, v any)
	visit = func(where string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				visit(where+"."+key, value)
			}
		case []any:
			for _, value := range v {
				visit(where, value)
			}
		case float64:
			if v < 0 {
				h.t.Errorf("%q: %s is %g", r.Args, where, v)
			}
		}
	}
	var doc any
	if err := json.Unmarshal([]byte(r.Stdout), &doc); err != nil {
		h.t.Fatalf("%q: %v: %.500s", r.Args, err, r.Stderr)
	}
	visit("", doc)
}

const great = 256 << 20

// TestGreatManifest looks at images whose manifest, config or index child has
// 256 MiB: none of them is read.
func TestGreatManifest(t *testing.T) {
	everywhere(t, func(h *host, e *imagestore.Embedded) {
		target := func(mediaType string, n int) ocispec.Descriptor {
			return ocispec.Descriptor{MediaType: mediaType, Digest: numbered("great", n), Size: 100}
		}
		h.must(e.Plant("default",
			imagestore.Plant{Digest: numbered("great", 0), Data: []byte("{"), Length: great},
			imagestore.Plant{Digest: numbered("great", 1), Data: fmt.Appendf(nil, `{"config":{"digest":%q,"size":2}}`, numbered("great", 0))},
			imagestore.Plant{Digest: numbered("great", 2), Data: fmt.Appendf(nil, `{"manifests":[{"digest":%q,"size":2}]}`, numbered("great", 0))},
		))
		h.must(e.Records(h.t.Context(), "default",
			images.Image{Name: "great.example/manifest:1", Target: target(ocispec.MediaTypeImageManifest, 0)},
			images.Image{Name: "great.example/config:1", Target: target(ocispec.MediaTypeImageManifest, 1)},
			images.Image{Name: "great.example/index:1", Target: target(ocispec.MediaTypeImageIndex, 2)},
		))
	}, func(h *host) {
		const most = 128 << 20
		doc := parsed[prune.Document](h.run("--all", "--dry-run", "--filter", "label!=x", "--format", "json").want(programs.ExitDone).within(most))
		for _, image := range doc.Images {
			if image.Action != prune.Keep || !strings.Contains(image.Reason, "268435456 bytes") {
				h.t.Errorf("%s: %s, %s", image.Name, image.Action, image.Reason)
			}
		}
		for _, args := range [][]string{{"df", "-v"}, {"check"}, {"explain", "great.example/manifest:1"}, {"--all", "--force"}} {
			h.run(args...).within(most)
		}
	})
}
