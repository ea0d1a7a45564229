package docker

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"go.uber.org/goleak"

	"github.com/ctr-prune/ctr-prune/prune"
)

// fakeStore holds the Docker containers of which it has the leases.
type fakeStore struct {
	prune.Store
	socket string
	held   map[string]bool
}

type fakeLeases struct {
	leases.Manager
	held map[string]bool
}

type fakeContainers struct{ containers.Store }

func (s fakeStore) Info(context.Context) (prune.StoreInfo, error) {
	return prune.StoreInfo{Location: s.socket}, nil
}
func (s fakeStore) Leases() leases.Manager       { return fakeLeases{held: s.held} }
func (s fakeStore) Containers() containers.Store { return fakeContainers{} }

func (l fakeLeases) List(_ context.Context, filters ...string) ([]leases.Lease, error) {
	id := strings.TrimPrefix(filters[0], "id==")
	if l.held[id] {
		return []leases.Lease{{ID: id}}, nil
	}
	return nil, nil
}

func (fakeContainers) Get(context.Context, string) (containers.Container, error) {
	return containers.Container{}, errdefs.ErrNotFound
}

// fakeEngine answers with a list, and for containers that are not in it, of
// which it does not know the first few times that it is asked.
func fakeEngine(t *testing.T, store string, list []container.Summary, others map[string]container.InspectResponse, late int32) string {
	t.Helper()
	var asked atomic.Int32
	socket := filepath.Join(t.TempDir(), "d.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(w http.ResponseWriter, v any) {
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.50")
		switch base := filepath.Base(r.URL.Path); {
		case base == "_ping":
		case base == "info":
			answer(w, map[string]any{
				"Containers": len(list), "DriverStatus": [][2]string{{"driver-type", imageStore}},
				"Containerd": map[string]any{"Address": store, "Namespaces": map[string]string{"Containers": "moby", "Plugins": "plugins.moby"}},
			})
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			answer(w, list)
		default:
			found, ok := others[filepath.Base(filepath.Dir(r.URL.Path))]
			if ok = ok && asked.Add(1) > late; !ok {
				w.WriteHeader(http.StatusNotFound)
			}
			answer(w, found)
		}
	})}}
	server.Start()
	t.Cleanup(server.Close)
	return socket
}

// traces is a namespace with the lease of a Docker container.
func traces(ids ...string) *prune.Namespace {
	ns := &prune.Namespace{Name: "moby"}
	for _, id := range ids {
		ns.Leases = append(ns.Leases, prune.Lease{Lease: leases.Lease{ID: id}, Resources: []leases.Resource{
			{Type: "snapshots/overlayfs", ID: id}, {Type: "snapshots/overlayfs", ID: id + "-init"},
		}})
	}
	return ns
}

// What the store and the list disagree about is asked for once more, for
// containers come and go while both are read.
func TestCrossCheck(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	entry := func(id string) container.Summary {
		return container.Summary{ID: id, Image: "app:1", ImageID: target.String(), State: container.StateCreated}
	}
	made := container.InspectResponse{
		ID: two, Name: "/late", Image: target.String(),
		Config: &container.Config{Image: "app:1"}, State: &container.State{Status: container.StateRunning},
	}
	half := made
	half.State = &container.State{Status: container.StateDead}
	for _, c := range []struct {
		name   string
		ns     *prune.Namespace
		list   []container.Summary
		others map[string]container.InspectResponse
		late   int32
		held   []string // by the store, when it is asked again
		uses   int
		want   string
	}{
		{name: "agreed", ns: traces(one, two), list: []container.Summary{entry(one), entry(two)}, uses: 2},
		{name: "made since it was listed", ns: traces(one, two), list: []container.Summary{entry(one)},
			others: map[string]container.InspectResponse{two: made}, held: []string{one, two}, uses: 2},
		{name: "being made", ns: traces(one, two), list: []container.Summary{entry(one)},
			others: map[string]container.InspectResponse{two: made}, late: 2, held: []string{one, two}, uses: 2},
		{name: "removed since the store was read", ns: traces(one, two), list: []container.Summary{entry(one)}, held: []string{one}, uses: 1},
		{name: "not listed", ns: traces(one, two), list: []container.Summary{entry(one)}, held: []string{one, two},
			want: "does not know container 222222222222"},
		{name: "all made since the store was read", ns: traces(), list: []container.Summary{entry(one)}, held: []string{one}, uses: 1},
		{name: "all removed since they were listed", ns: traces(), list: []container.Summary{entry(one)}},
		{name: "all strange", ns: traces(), list: []container.Summary{entry(two)},
			others: map[string]container.InspectResponse{two: made}, want: "another Engine"},
		{name: "all half removed", ns: traces(), list: []container.Summary{entry(two)},
			others: map[string]container.InspectResponse{two: half}, uses: 1},
		{name: "none", ns: traces()},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := fakeStore{socket: filepath.Join(t.TempDir(), "c.sock"), held: make(map[string]bool)}
			for _, id := range c.held {
				store.held[id] = true
			}
			l, err := net.Listen("unix", store.socket)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			source, err := New(fakeEngine(t, store.socket, c.list, c.others, c.late), store)
			if err != nil {
				t.Fatal(err)
			}
			if c.want != "" {
				source.patience = time.Millisecond
			}
			uses, covered, err := source.Uses(t.Context(), prune.Asked{Namespace: c.ns})
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q", err, c.want)
				}
				return
			}
			if err != nil || !covered || len(uses) != c.uses {
				t.Errorf("got %d uses, covered %v, %v; want %d", len(uses), covered, err, c.uses)
			}
		})
	}
}

// A namespace without traces of Docker is not asked about, whoever answers.
func TestNotDocker(t *testing.T) {
	source, err := New("/nowhere/docker.sock", nil)
	if err != nil {
		t.Fatal(err)
	}
	if uses, covered, err := source.Uses(t.Context(), prune.Asked{Namespace: &prune.Namespace{Name: "default"}}); uses != nil || covered || err != nil {
		t.Errorf("got %v, %v, %v", uses, covered, err)
	}
}
