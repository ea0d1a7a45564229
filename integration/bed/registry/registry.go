package registry

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// Registry has images by their tag, in every repository.
type Registry struct {
	// Host is what names begin with, such as "127.0.0.1:5000".
	Host  string
	tags  map[string]imagestore.Blob
	blobs map[digest.Digest]imagestore.Blob
	pulls atomic.Int64
}

// Start serves the images by their tags until the test ends.
func Start(tb testing.TB, images map[string]*imagestore.Image) *Registry {
	r := &Registry{tags: map[string]imagestore.Blob{}, blobs: map[digest.Digest]imagestore.Blob{}}
	for tag, img := range images {
		for _, b := range img.Blobs() {
			r.blobs[b.Desc.Digest] = b
		}
		r.tags[tag] = r.blobs[img.Target.Digest]
	}
	srv := httptest.NewServer(r)
	tb.Cleanup(srv.Close)
	r.Host = strings.TrimPrefix(srv.URL, "http://")
	return r
}

// Manifests is how many manifests were asked for.
func (r *Registry) Manifests() int64 { return r.pulls.Load() }

// ServeHTTP answers /v2/, /v2/REPO/manifests/REF and /v2/REPO/blobs/DIGEST.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	if len(parts) == 1 && parts[0] == "v2" {
		return
	}
	if len(parts) < 4 || parts[0] != "v2" {
		http.NotFound(w, req)
		return
	}
	blob, ok := r.find(parts[len(parts)-2], parts[len(parts)-1])
	if !ok {
		http.NotFound(w, req)
		return
	}
	h := w.Header()
	h.Set("Content-Type", blob.Desc.MediaType)
	h.Set("Docker-Content-Digest", blob.Desc.Digest.String())
	h.Set("Content-Length", strconv.Itoa(len(blob.Data)))
	if req.Method == http.MethodGet {
		// A client that has gone away is no concern of the registry.
		_, _ = w.Write(blob.Data)
	}
}

func (r *Registry) find(kind, ref string) (imagestore.Blob, bool) {
	if kind == "manifests" {
		r.pulls.Add(1)
		if blob, ok := r.tags[ref]; ok {
			return blob, true
		}
	}
	blob, ok := r.blobs[digest.Digest(ref)]
	return blob, ok && (kind == "manifests" || kind == "blobs")
}
