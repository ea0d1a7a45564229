package bench

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// scales are what a store may have many of beside images. Each size doubles the
// one before.
var scales = []struct {
	what        string
	quick, full string
	add         func(ctx context.Context, e *imagestore.Embedded, i int) error
	each        int // how many of them one call adds
}{
	{"namespaces", "20,40,80,160", "20,40,80,160", addNamespace, 1},
	{"containers", "400,800,1600,3200", "625,1250,2500,5000", addContainer, 1},
	{"blobs", "800,1600,3200,6400", "12800,25600,51200,102400", addTree, 100},
}

// scaleLimit is by how much the largest size may cost more than linear growth
// foretells. Tables that double when they are full are not as full at each size; what
// grows with the square costs more than twice as much.
const scaleLimit = 0.3

// TestScale fails if planning grows worse than linear with any of the scales. With
// -grow it measures time and peak memory of dry runs as well.
func TestScale(t *testing.T) {
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	quick, p := *grow == "", programs{}
	if !quick {
		p = build(t)
	}
	for _, s := range scales {
		t.Run(s.what, func(t *testing.T) {
			d := daemon.Start(t, daemon.Options{Version: parts.Containerd24, Dir: daemon.InMemory(), NoSync: true})
			list := s.full
			if quick {
				list = s.quick
			}
			before := 0
			var all []sized
			for _, n := range numbers(t, list) {
				d.Offline(func(e *imagestore.Embedded) error {
					for i := before; i < n; i += s.each {
						if err := s.add(t.Context(), e, i); err != nil {
							return fmt.Errorf("%d of the %s: %w", i, s.what, err)
						}
					}
					return nil
				})
				if before == 0 {
					count(t, d, false) // what is made once in a process
				}
				before = n
				all = append(all, p.scaled(t, d, n, quick))
			}
			if t.Failed() {
				return
			}
			text, worse := judge(s.what, all, scaleLimit)
			t.Logf("%s\n\n%s", machine.Describe(), text)
			for _, sentence := range worse {
				t.Error(sentence)
			}
			if *out != "" {
				appendTo(t, *out, "\n"+text)
			}
		})
	}
}

// scaled measures what planning costs.
func (p programs) scaled(t *testing.T, d *daemon.Daemon, n int, quick bool) sized {
	t.Helper()
	s := sized{images: n, counted: count(t, d, false)}
	for range *rounds {
		if !quick {
			s.dry = append(s.dry, p.weigh(t, p.prune, "--address", d.Address(), "-a", "--all-namespaces", "--dry-run"))
		}
	}
	return s
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// addNamespace adds a namespace with an image.
func addNamespace(ctx context.Context, e *imagestore.Embedded, i int) error {
	ns := fmt.Sprintf("space-%05d", i)
	layer := imagestore.Plant{Digest: digest.FromString(ns), Data: []byte(ns)}
	manifest := imagestore.Plant{Data: fmt.Appendf(nil, `{"mediaType":%q,"layers":[],"annotations":{"of":%q}}`, ocispec.MediaTypeImageManifest, ns), Labels: map[string]string{"containerd.io/gc.ref.content.l.0": layer.Digest.String()}}
	manifest.Digest = digest.FromBytes(manifest.Data)
	if err := e.Plant(ns, layer, manifest); err != nil {
		return err
	}
	target := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: manifest.Digest, Size: int64(len(manifest.Data))}
	return e.Records(ctx, ns, images.Image{Name: "scale.example/app:1", Target: target})
}

// addContainer adds a container of an image that is not there.
func addContainer(ctx context.Context, e *imagestore.Embedded, i int) error {
	return addContainerTo(ctx, e, "default", "scale.example/gone:1", i)
}

func addContainerTo(ctx context.Context, e *imagestore.Embedded, namespace, image string, i int) error {
	_, err := e.Client().ContainerService().Create(namespaces.WithNamespace(ctx, namespace), containers.Container{
		ID: fmt.Sprintf("c%05d", i), Image: image, Runtime: containers.RuntimeInfo{Name: "io.containerd.runc.v2"}, Spec: &anypb.Any{TypeUrl: "types.containerd.io/none"},
	})
	return err
}

// addTree adds a root with 99 blobs below it.
func addTree(_ context.Context, e *imagestore.Embedded, i int) error {
	return addTreeTo(e, "default", i)
}

func addTreeTo(e *imagestore.Embedded, namespace string, i int) error {
	root := imagestore.Plant{Digest: digest.FromString(fmt.Sprint("root ", i)), Labels: map[string]string{"containerd.io/gc.root": "yes"}}
	blobs := make([]imagestore.Plant, 99)
	for n := range blobs {
		text := fmt.Sprintf("blob %d of %d", n, i)
		blobs[n] = imagestore.Plant{Digest: digest.FromString(text), Data: []byte(text)}
		root.Labels[fmt.Sprint("containerd.io/gc.ref.content.", n)] = blobs[n].Digest.String()
	}
	return e.Plant(namespace, append(blobs, root)...)
}
