package inventory_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// The seeds of all fuzz targets are in testdata/fuzz. To look for more in one:
// go test -fuzz FuzzCRIExtension ./prune

// What CRI keeps with a container is understood whole, or the container closes
// its namespace: there is nothing between.
func FuzzCRIExtension(f *testing.F) {
	f.Fuzz(func(t *testing.T, metadata []byte) {
		c := containers.Container{ID: "c", Image: "docker.io/library/a:1", Extensions: map[string]typeurl.Any{
			inventory.ExtensionCRIContainer: &anypb.Any{Value: metadata},
		}}
		use, err := inventory.ContainerUse(c)
		if err != nil {
			if !cmp.Equal(use, inventory.Use{}) {
				t.Errorf("a use beside an error: %+v", use)
			}
			return
		}
		if len(use.Digests) == 0 || use.Image != c.Image {
			t.Fatalf("a container of CRI that names no digest: %+v", use)
		}
		for _, dgst := range use.Digests {
			if dgst.Validate() != nil || !bytes.Contains(metadata, []byte(dgst.Encoded())) && !bytes.Contains(metadata, []byte(`\u`)) {
				t.Errorf("digest %q is not of the metadata", dgst)
			}
		}
		var typed struct {
			Version  string
			Metadata struct{ ImageRef string }
		}
		if err := json.Unmarshal(metadata, &typed); err != nil || typed.Version != "v1" || typed.Metadata.ImageRef != use.Digests[0].String() {
			t.Errorf("read %v of %+v, %v", use.Digests, typed, err)
		}
	})
}
