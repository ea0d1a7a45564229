package docker

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/moby/moby/api/types/container"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune"
)

// slowEngine has containers whose names are only in their details, for each of
// which it takes four milliseconds. It counts how many are asked for at once.
func slowEngine(t *testing.T, store string, list []container.Summary) (host string, most *atomic.Int32) {
	t.Helper()
	most = new(atomic.Int32)
	var atOnce atomic.Int32
	host = filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", host)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.50")
		switch {
		case strings.HasSuffix(r.URL.Path, "/info"):
			answer(w, map[string]any{
				"Containers": len(list), "DriverStatus": [][2]string{{"driver-type", imageStore}},
				"Containerd": map[string]any{"Address": store, "Namespaces": map[string]string{"Containers": "moby", "Plugins": "plugins.moby"}},
			})
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			answer(w, list)
		case strings.HasSuffix(r.URL.Path, "/json"):
			n := atOnce.Add(1)
			for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			}
			time.Sleep(4 * time.Millisecond)
			atOnce.Add(-1)
			id := filepath.Base(filepath.Dir(r.URL.Path))
			answer(w, container.InspectResponse{ID: id, Image: target.String(), Config: &container.Config{Image: "typed-" + id[:8]}, State: &container.State{Status: container.StateExited}})
		}
	})}}
	server.Start()
	t.Cleanup(server.Close)
	return host, most
}

// Thousands of containers that have to be asked for one by one, which takes longer
// than the time for one answer, do not close Docker's namespace.
func TestManyContainers(t *testing.T) {
	const n = 5_000
	list, ids := make([]container.Summary, n), make([]string, n)
	for i := range list {
		ids[i] = fmt.Sprintf("%064x", i)
		list[i] = container.Summary{ID: ids[i], Image: target.String(), ImageID: target.String(), State: container.StateExited}
	}
	socket := filepath.Join(t.TempDir(), "c.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, most := slowEngine(t, socket, list)
	s, err := New(host, fakeStore{socket: socket})
	if err != nil {
		t.Fatal(err)
	}
	uses, covered, err := s.Uses(t.Context(), prune.Asked{Namespace: traces(ids...)})
	if err != nil || !covered || len(uses) != n {
		t.Fatalf("%d uses, %v, %v", len(uses), covered, err)
	}
	if uses[n-1].Holder.ID != ids[n-1] || uses[n-1].Image != "typed-"+ids[n-1][:8] {
		t.Errorf("the last container: %+v", uses[n-1])
	}
	if got := most.Load(); got < 2 || got > parallel {
		t.Errorf("%d were asked for at once", got)
	}
}

// What it costs to tell the uses of containers does not depend on how many images
// there are.
func BenchmarkContainerUses(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			ns := &prune.Namespace{Images: make([]images.Image, 2*n)}
			for i := range ns.Images {
				ns.Images[i].Target = ocispec.Descriptor{Digest: digest.FromString(fmt.Sprint(i))}
			}
			list := make([]container.Summary, n)
			for i := range list {
				list[i] = container.Summary{ID: fmt.Sprintf("%064x", i), Image: "app:1", ImageID: ns.Images[2*i].Target.Digest.String()}
			}
			for b.Loop() {
				if uses, err := (&engine{}).uses(b.Context(), ns, list); err != nil || len(uses) != n {
					b.Fatal(len(uses), err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/container")
		})
	}
}
