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
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/internal/testworld"
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

// Eight times as many containers, image mounts, other layers and images take about
// eight times as many steps, and no square of that. A sixteenth of the containers
// is asked for by ID, which goes over a socket.
func TestManyContainersCostNoSquare(t *testing.T) {
	testworld.NotUnderRace(t)
	testworld.Linear(t, 300, func(n int) {
		ns, list := mounting(n)
		socket := filepath.Join(t.TempDir(), "c.sock")
		l := testworld.Must(net.Listen("unix", socket))
		defer func() { _ = l.Close() }()
		host, _ := slowEngine(t, socket, list)
		s := testworld.Must(New(host, fakeStore{socket: socket}))
		uses, covered, err := s.Uses(t.Context(), prune.Asked{Namespace: ns})
		if err != nil || !covered || len(uses) != 3*n {
			t.Fatalf("%d uses, %v, %v", len(uses), covered, err)
		}
	})
}

// mounting is a namespace of Docker's with so many containers, each with an image
// mount and an image of its own that has two records, and as many other layers.
func mounting(n int) (*prune.Namespace, []container.Summary) {
	ns := traces()
	list := make([]container.Summary, n)
	lease := func(id string, more ...string) {
		held := []leases.Resource{{Type: "snapshots/overlayfs", ID: id}}
		for _, key := range more {
			held = append(held, leases.Resource{Type: "snapshots/overlayfs", ID: key})
		}
		ns.Leases = append(ns.Leases, prune.Lease{Lease: leases.Lease{ID: id}, Resources: held})
	}
	for i := range list {
		dgst, id := digest.FromString(fmt.Sprint("image ", i)), fmt.Sprintf("%064x", i)
		for _, name := range []string{"app:%d", "other:%d"} {
			ns.Images = append(ns.Images, images.Image{Name: fmt.Sprintf(name, i), Target: ocispec.Descriptor{Digest: dgst}})
		}
		mounted := container.MountPoint{Type: mount.TypeImage, Name: "data:1", Destination: "/data"}
		lease(id, id+"-init")
		lease(mountLayer(id, mounted))
		lease(digest.FromString(fmt.Sprint("layer ", i)).Encoded())
		list[i] = container.Summary{ID: id, Image: fmt.Sprint("app:", i), ImageID: dgst.String(), State: container.StateExited, Mounts: []container.MountPoint{mounted}}
		if i%16 == 0 {
			list[i].Image = list[i].ImageID // the name has moved
		}
	}
	return ns, list
}
