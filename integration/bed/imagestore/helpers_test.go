package imagestore_test

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/opencontainers/go-digest"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// labels maps the blobs of a namespace to the labels that hold something. An
// import also labels where a blob came from, which holds nothing.
func labels(t *testing.T, s imagestore.Store) map[digest.Digest]map[string]string {
	t.Helper()
	out := map[digest.Digest]map[string]string{}
	must(t, s.Client.ContentStore().Walk(s.Context(t.Context()), func(i content.Info) error {
		out[i.Digest] = map[string]string{}
		for k, v := range i.Labels {
			if strings.HasPrefix(k, "containerd.io/gc.") {
				out[i.Digest][k] = v
			}
		}
		return nil
	}))
	return out
}

func records(t *testing.T, s imagestore.Store) map[string]digest.Digest {
	t.Helper()
	list, err := s.Client.ImageService().List(s.Context(t.Context()))
	must(t, err)
	out := map[string]digest.Digest{}
	for _, i := range list {
		out[i.Name] = i.Target.Digest
	}
	return out
}
