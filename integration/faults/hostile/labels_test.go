package hostile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

const manyLabels = 100_000

// labelled plants images whose manifest has a hundred thousand labels each, of
// which every tenth refers to a blob that is not there.
func (h *host) labelled(e *imagestore.Embedded, count int) {
	h.t.Helper()
	for n := range count {
		labels := make(map[string]string, manyLabels)
		for i := range manyLabels {
			key, value := fmt.Sprintf("label.example/%d-%06d", n, i), strings.Repeat("v", 80)
			if i%10 == 0 {
				key, value = fmt.Sprintf(gcPrefix+"ref.content.l.%d", i), numbered("absent", i).String()
			}
			labels[key] = value
		}
		dgst := numbered("labelled", n)
		h.must(e.Plant("default", imagestore.Plant{Digest: dgst, Data: []byte("{}"), Labels: labels}))
		h.must(e.Records(h.t.Context(), "default", images.Image{
			Name:   fmt.Sprintf("label.example/a:%d", n),
			Target: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: dgst, Size: 2},
		}))
	}
}

// TestLabels looks at a blob with a hundred thousand labels, and removes it.
func TestLabels(t *testing.T) {
	everywhere(t, func(h *host, e *imagestore.Embedded) { h.labelled(e, 1) }, func(h *host) {
		for _, args := range [][]string{{"explain", "label.example/a:0"}, {"df", "-v"}, {"check"}} {
			h.run(args...).shorter(64 << 10)
		}
		doc := parsed[prune.Document](h.run("--all", "--force", "--format", "json").want(programs.ExitDone))
		if len(doc.Untagged) != 1 || doc.Reclaimed.Blobs != 1 || doc.Reclaimed != doc.Predicted {
			h.t.Errorf("removed %v, reclaimed %+v of %+v", doc.Untagged, doc.Reclaimed, doc.Predicted)
		}
		if left := h.state().Namespaces["default"]; len(left.Images)+len(left.Content)+len(left.Leases) > 0 {
			h.t.Errorf("left are %d records, %d blobs, %d leases", len(left.Images), len(left.Content), len(left.Leases))
		}
	})
}

// TestTooManyLabels has more labels than a daemon can send: it refuses its own
// answer, and so does the command, which says what works and changes nothing.
// Where no daemon stands between it goes on.
func TestTooManyLabels(t *testing.T) {
	everywhere(t, func(h *host, e *imagestore.Embedded) { h.labelled(e, 2) }, func(h *host) {
		if !h.d.Running() {
			if doc := parsed[prune.Document](h.run("--all", "--force", "--format", "json").want(programs.ExitDone)); doc.Reclaimed.Blobs != 2 {
				h.t.Errorf("reclaimed %+v", doc.Reclaimed)
			}
			return
		}
		for _, args := range [][]string{{"--all", "--force"}, {"check"}} {
			h.run(args...).want(programs.ExitFailed).Sentence(h.t, "--root")
		}
		h.d.Stop()
		if left := h.state().Namespaces["default"]; len(left.Images) != 2 || len(left.Content) != 2 || len(left.Leases) != 0 {
			h.t.Errorf("left are %d records, %d blobs, %d leases", len(left.Images), len(left.Content), len(left.Leases))
		}
	})
}

// TestUnservable has what only a damaged or forged database can hold: names
// that are not UTF-8, which no daemon can send, and namespaces that no client
// can ask for. Nothing is changed in what they are part of; such a namespace does
// not stop a run in another one.
func TestUnservable(t *testing.T) {
	for name, plant := range map[string]func(h *host, e *imagestore.Embedded){
		"record":    func(h *host, e *imagestore.Embedded) { h.forged(e, "default", "bad\xff\xfe:1") },
		"namespace": func(h *host, e *imagestore.Embedded) { h.forged(e, "--all\x1b[31m", "a:1") },
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(h *host, e *imagestore.Embedded) {
				h.must(e.Store("default").Add(h.t.Context(), h.make.Image(imagestore.Spec{Name: "docker.io/library/a:1"})))
				plant(h, e)
			}, func(h *host) {
				if name == "record" && !h.d.Running() {
					h.run("--all", "--dry-run").want(programs.ExitDone)
					h.run("--all", "--force", "--format", "json").want(programs.ExitDone)
					if left := h.state().Namespaces["default"]; len(left.Images)+len(left.Content) > 0 {
						h.t.Errorf("left are %d records and %d blobs", len(left.Images), len(left.Content))
					}
					return
				}
				all, stays := [][]string{{"df"}, {"check"}, {"--all", "--force", "--all-namespaces"}}, true
				if name == "namespace" {
					h.d.Unopenable("no client can ask for one of its namespaces")
				} else {
					all = append(all, []string{"--all", "--force"})
				}
				for _, args := range all {
					h.run(args...).want(programs.ExitFailed).Sentence(h.t, "")
				}
				if name == "namespace" { // which was not chosen
					h.run("--all", "--force").want(programs.ExitDone)
					stays = false
				}
				h.d.Stop()
				if s := h.state().Namespaces["default"]; len(s.Images) > 0 != stays || len(s.Leases) != 0 {
					h.t.Errorf("left are %d records, %d leases", len(s.Images), len(s.Leases))
				}
			})
		})
	}
}

// forged makes a record past all checks.
func (h *host) forged(e *imagestore.Embedded, namespace, name string) {
	h.t.Helper()
	target := map[string]string{"digest": numbered("forged", 0).String(), "mediatype": ocispec.MediaTypeImageManifest, "size": "\x02"}
	h.must(e.Bucket(target, "v1", namespace, "images", name, "target"))
}
