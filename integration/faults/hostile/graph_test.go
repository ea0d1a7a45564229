package hostile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	deep     = 10_000 // links of a chain
	named    = 1_000  // links of a chain of which each has a record
	storeys  = 30     // of two blobs each, which both refer to both below
	gcPrefix = "containerd.io/gc."
)

// graph is a store in the making: blobs by name, which refer to others in
// their labels and, as indexes do, in their text.
type graph struct {
	blobs   []imagestore.Plant
	records []images.Image
}

// index adds an index of others, or a manifest of nothing.
func (g *graph) index(name string, children ...digest.Digest) digest.Digest {
	labels := map[string]string{}
	var list []string
	for i, child := range children {
		labels[fmt.Sprintf(gcPrefix+"ref.content.m.%d", i)] = child.String()
		list = append(list, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, ocispec.MediaTypeImageIndex, child, int64(1)<<62))
	}
	dgst := digest.FromString(name)
	g.blobs = append(g.blobs, imagestore.Plant{
		Digest: dgst, Labels: labels,
		Data: fmt.Appendf(nil, `{"mediaType":%q,"manifests":[%s],"annotations":{"name":%q}}`, ocispec.MediaTypeImageIndex, strings.Join(list, ","), name),
	})
	return dgst
}

// record adds a record of a blob.
func (g *graph) record(name string, target digest.Digest, labels ...string) {
	r := images.Image{Name: name, Target: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: target, Size: 1 << 62}, Labels: map[string]string{}}
	for i := 0; i+1 < len(labels); i += 2 {
		r.Labels[labels[i]] = labels[i+1]
	}
	g.records = append(g.records, r)
}

func (g *graph) plant(h *host, e *imagestore.Embedded) {
	h.t.Helper()
	h.must(e.Plant("default", g.blobs...), e.Records(h.t.Context(), "default", g.records...))
}

// circles are blobs that refer to each other and to themselves, records that
// hold each other, and back references to what refers back.
func (g *graph) circles() {
	at := func(n int) digest.Digest { return digest.FromString(fmt.Sprint("circle ", n%3)) }
	for n := range 3 {
		g.index(fmt.Sprint("circle ", n), at(n+1), at(n), at(n+1))
	}
	g.record("circle.example/a:1", at(0), gcPrefix+"ref.image.other", "circle.example/b:1", gcPrefix+"bref.image.x", "circle.example/b:1")
	g.record("circle.example/b:1", at(2), gcPrefix+"ref.image.other", "circle.example/a:1", gcPrefix+"ref.image.self", "circle.example/b:1")
	me := digest.FromString("circle alone")
	g.index("circle alone", me)
	g.blobs[len(g.blobs)-1].Labels[gcPrefix+"bref.content.self"] = me.String()
}

// chain makes n links, each an index of the next, and returns the ends. The
// last one lacks what it refers to.
func (g *graph) chain(name string, n int, recorded bool) (first, last digest.Digest) {
	next := digest.FromString("nowhere")
	for i := n - 1; i >= 0; i-- {
		link := g.index(fmt.Sprint(name, i), next)
		if recorded {
			g.record(fmt.Sprintf("chain.example/%s:%d", name, i), link)
		}
		if last == "" {
			last = link
		}
		next = link
	}
	return next, last
}

// tower makes storeys of two blobs each, and returns the top and the ground.
func (g *graph) tower() (top, ground digest.Digest) {
	var below []digest.Digest
	for n := range storeys {
		left, right := g.index(fmt.Sprint("left ", n), below...), g.index(fmt.Sprint("right ", n), below...)
		below = []digest.Digest{left, right}
		if n == 0 {
			ground = left
		}
	}
	return below[0], ground
}

// TestGraphs looks at and prunes circles, a chain of ten thousand links, one of
// a thousand of which each is an image, and a tower with 2^30 ways down.
func TestGraphs(t *testing.T) {
	g := &graph{}
	g.circles()
	first, last := g.chain("link", deep, false)
	g.record("chain.example/deep:1", first)
	_, end := g.chain("named", named, true)
	top, ground := g.tower()
	g.record("tower.example/top:1", top)
	everywhere(t, func(h *host, e *imagestore.Embedded) {
		g.plant(h, e)
		h.circleOfSnapshots(e)
	}, func(h *host) {
		before := h.state()
		const most = 8 << 20 // bytes, of a store of 12,000 objects, each told with its holder
		looks := [][]string{
			{"--all", "--dry-run"}, {"df", "-v", "--format", "json"},
			{"--all", "--dry-run", "--filter", "label!=x", "--format", "json"}, {"plan", "--all"},
			{"df", "-v"}, {"leases"}, {"runs"}, {"plan", "--all", "--html", h.t.TempDir() + "/page.html"},
		}
		objects := []string{last.String(), "tower.example/top:1", "chain.example/deep:1", "circle.example/a:1", end.String(), ground.String()}
		if !h.first() {
			looks, objects = looks[:2], objects[:2]
		}
		for _, args := range looks {
			h.run(args...).want(programs.ExitDone).shorter(most)
		}
		for _, object := range objects {
			h.run("explain", object).want(programs.ExitDone).shorter(most)
			h.run("explain", object, "--format", "json").want(programs.ExitDone).shorter(2 * most)
		}
		h.run("check").want(programs.ExitFailed).shorter(most)
		h.run("check", "--format", "json").want(programs.ExitFailed).shorter(most)
		h.same(before)
		doc := h.prune()
		if left := h.state().Namespaces["default"]; len(doc.Untagged) != len(g.records)+1 || len(left.Images)+len(left.Content)+len(left.Snapshots) > 0 {
			h.t.Errorf("%d records were removed; left are %d records, %d blobs, %d snapshots", len(doc.Untagged), len(left.Images), len(left.Content), len(left.Snapshots))
		}
		checkAmount(h.t, "reclaimed", doc.Reclaimed)
	})
}

// circleOfSnapshots makes a snapshot that refers to a blob that refers to it.
func (h *host) circleOfSnapshots(e *imagestore.Embedded) {
	h.t.Helper()
	s := e.Store("default")
	img := h.make.Image(imagestore.Spec{Name: "circle.example/snapshot:1", Layers: 2, LayerBytes: 1 << 10})
	h.must(s.Add(h.t.Context(), img))
	ctx, sn := s.Context(h.t.Context()), s.Client.SnapshotService(s.Snapshotter)
	for _, key := range img.ChainIDs() {
		info, err := sn.Stat(ctx, key)
		h.must(err)
		label := gcPrefix + "ref.content.back"
		info.Labels = map[string]string{label: img.Config.Desc.Digest.String()}
		_, err = sn.Update(ctx, info, "labels."+label)
		h.must(err)
	}
}

// checkAmount fails the test if a sum has wrapped.
func checkAmount(t *testing.T, what string, a prune.Amount) {
	t.Helper()
	if a.ContentBytes < 0 || a.SnapshotBytes < 0 || a.TotalBytes < max(a.ContentBytes, a.SnapshotBytes) || a.Blobs < 0 || a.Snapshots < 0 {
		t.Errorf("%s: %+v", what, a)
	}
}
