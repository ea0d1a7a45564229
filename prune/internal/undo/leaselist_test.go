package undo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/google/go-cmp/cmp"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// What is said of every kind of lease, and which may go.
func TestLeaseFates(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	id := strings.Repeat("1a", 32)
	flat := map[string]string{"containerd.io/gc.flat": "2026-11-21"}
	temporary := map[string]string{"containerd.io/gc.flat": "2026-11-21", "buildkit/lease.temporary": "2026-11-21"}
	expires := func(in time.Duration) map[string]string {
		return map[string]string{"containerd.io/gc.expire": now.Add(in).Format(time.RFC3339)}
	}
	snapshots := func(keys ...string) (held []leases.Resource) {
		for _, key := range keys {
			held = append(held, leases.Resource{Type: "snapshots/overlayfs", ID: key})
		}
		return held
	}
	for name, test := range map[string]struct {
		namespace, id string
		labels        map[string]string
		holds         []leases.Resource
		want          string
	}{
		"a container of Docker's": {"moby", id, nil, snapshots(id, id+"-init"),
			"keep: holds the files of a Docker container, running or stopped; `docker rm` frees them"},
		"an image mount": {"moby", id, nil, snapshots(id),
			"keep: belongs to Docker, for an image mount or a build; it is removed together with the container or the build"},
		"a build under way": {"buildkit", "temporary", temporary, nil,
			"keep: belongs to buildkit; it is removed when the build ends or buildkit restarts"},
		"build cache":             {"buildkit", "cache", flat, nil, "keep: belongs to buildkit; `buildctl prune` frees it"},
		"build cache in Docker":   {"moby", "cache", flat, nil, "keep: belongs to buildkit; `docker builder prune` frees it"},
		"build history":           {"buildkit_history", tw.HistoryLease, nil, nil, "keep: belongs to buildkit; `buildctl prune-histories` frees it"},
		"build history in Docker": {"moby_history", tw.HistoryLease, nil, nil, "keep: belongs to buildkit; `docker buildx history rm` frees it"},
		"a pull": {"default", "pull", expires(time.Hour), nil,
			"keep: a pull or build in progress, or one that was interrupted; it expires by itself"},
		"an old pull": {"default", "pull", expires(-time.Hour), nil, "remove: expired: containerd no longer honours it"},
		"of nobody we know": {"default", "mine", nil, nil,
			"keep: belongs to another client; only that client knows whether it is still needed"},
		"of a name like Docker's":                      {"mobytools", "cache", flat, nil, "keep: belongs to buildkit; `buildctl prune` frees it"},
		"history of a name like Docker's":              {"mobytools_history", tw.HistoryLease, nil, nil, "keep: belongs to buildkit; `buildctl prune-histories` frees it"},
		"build cache in a Docker with a remapped root": {"moby-1000.1000", "cache", flat, nil, "keep: belongs to buildkit; `docker builder prune` frees it"},
		"of 64 digits": {"default", id, nil, snapshots("sha256:chain"),
			"keep: belongs to another client; only that client knows whether it is still needed"},
		"of a pod": {"k8s.io", id, nil, snapshots("sha256:chain"), "keep: belongs to pod " + id + " and is removed together with it"},
		"a run":    {"default", ours.RunID, nil, nil, "keep: a run is in progress"},
	} {
		t.Run(name, func(t *testing.T) {
			lease := inventory.Lease{Lease: leases.Lease{ID: test.id, Labels: test.labels}, Resources: test.holds}
			inv := &inventory.Inventory{Namespaces: []*inventory.Namespace{{Name: test.namespace, Leases: []inventory.Lease{lease}}}}
			if test.namespace == store.CRINamespace {
				inv.Namespaces[0].Sandboxes = []sandbox.Sandbox{{ID: test.id}}
			}
			var got []string
			for _, info := range undo.ListLeases(inv, now) {
				got = append(got, string(info.Action)+": "+info.Reason)
			}
			if diff := cmp.Diff([]string{test.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A blob whose file stays for an upload of another namespace is no garbage:
// no collection frees it.
func TestNothingButAnUploadAwaitsIt(t *testing.T) {
	w := tw.World{"default": {tw.Blob("a"), tw.Blob("b")}, "other": {tw.Upload("u", "a", tw.Created(tw.Noon))}}
	usage := tw.UsageOf(w.Inventory(), rules.Policy{AllNamespaces: true}, tw.Noon, true)
	bytes := make(map[df.HolderClass]int64)
	for _, holder := range usage.Holders {
		bytes[holder.Class] = holder.TotalBytes
	}
	if bytes[df.HeldByIngests] != int64(len(tw.Body("a"))) || bytes[df.HeldByNothing] != int64(len(tw.Body("b"))) {
		t.Errorf("uploads hold %d bytes, nothing holds %d", bytes[df.HeldByIngests], bytes[df.HeldByNothing])
	}
	for _, object := range usage.Objects {
		if (object.State == df.StateGarbage) != (object.Digest == tw.Digest("b")) {
			t.Errorf("%s is %s", tw.Legend(object.Digest.String()), object.State)
		}
	}
}

// What an upload takes from another namespace goes with no lease, nor image.
func TestAloneButAwaited(t *testing.T) {
	for _, awaited := range []bool{false, true} {
		w := tw.World{"default": {tw.Blob("a"), tw.Blob("b"), tw.Record("b:1", "b"), tw.Lease("l", tw.Holding(tw.TheBlob("a")))}, "other": {}}
		if awaited {
			w["other"] = []tw.Thing{tw.Upload("u", "a", tw.Created(tw.Noon)), tw.Upload("v", "b", tw.Created(tw.Noon))}
		}
		inv := w.Inventory()
		want := int64(len(tw.Body("a")))
		if awaited {
			want = 0
		}
		if got := undo.ListLeases(inv, tw.Noon)[0].Alone.TotalBytes; got != want {
			t.Errorf("awaited %v: the lease alone holds %d bytes, want %d", awaited, got, want)
		}
		image := tw.UsageOf(inv, rules.Policy{AllNamespaces: true}, tw.Noon, false).Images[0]
		if unique := image.UniqueBytes; (unique == 0) != awaited || unique+image.SharedBytes != image.TotalBytes {
			t.Errorf("awaited %v: the image alone holds %d bytes of %d", awaited, unique, image.TotalBytes)
		}
	}
}
