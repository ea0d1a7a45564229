package behaviour_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Build history holds the config of what it built: the blobs that it holds
// stay, the unpacked snapshots go, and the report names the lease.
func TestBuildHistory(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		built, kept := s.added("docker.io/library/built:1", 2), s.added("docker.io/library/kept:1", 1)
		s.must(
			s.HistoryLease(s.ctx(), "u7w5c2jq1xyz", built),
			s.HistoryLease(s.ctx(), "ofkept", kept),
			s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: kept.Name, Of: kept}),
		)
		p := s.pruneExpecting(expected{orphans: true}, "--all")
		p.wantNames("default", kept.Name)
		config := built.Config.Desc.Digest
		p.wantHeldBy(imagestore.HistoryID("u7w5c2jq1xyz"), config)
		var rest []imagestore.Blob
		for _, b := range built.Blobs() {
			if b.Desc.Digest != config {
				rest = append(rest, b)
			}
		}
		p.wantReclaimed(2, digestsOf(rest)...)
		// The config of an image that stays keeps its snapshots.
		info := p.after.Namespaces["default"].Content[kept.Config.Desc.Digest]
		if info.Labels["containerd.io/gc.ref.snapshot."+s.Snapshotter] == "" {
			t.Errorf("labels of the config of the image that stays: %v", info.Labels)
		}
	})
}

// A lease without an expiry of a client that nobody knows holds a config: that
// client keeps the unpacked snapshots too, and the report names its lease. So it
// is where the lease is called as buildkit may call one.
func TestLeaseOfAnUnknownClient(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		held := make(map[string]*imagestore.Image)
		for _, id := range []string{"mine", "ref_mine"} {
			held[id] = s.added("docker.io/library/of-"+id+":1", 2)
			config := imagestore.ContentResource(held[id].Config.Desc.Digest)
			s.must(s.Lease(s.ctx(), imagestore.LeaseSpec{ID: id, Resources: []leases.Resource{config}}))
		}
		p := s.prune("--all")
		p.wantNames("default")
		for id, img := range held {
			p.wantHeldBy(fmt.Sprintf("lease %q", id), img.Config.Desc.Digest)
			for _, key := range img.ChainIDs() {
				p.wantSnapshotHeldBy(id, key)
			}
		}
	})
}

// wantSnapshotHeldBy wants a snapshot to be there, and the report to name the
// lease that holds it.
func (p pruned) wantSnapshotHeldBy(lease, key string) {
	p.t.Helper()
	named := slices.ContainsFunc(p.Held, func(h prune.Held) bool {
		return strings.HasSuffix(h.Snapshot, "/"+key) && strings.Contains(h.Holder, fmt.Sprintf("lease %q", lease))
	})
	there := false
	for k := range p.after.Namespaces["default"].Snapshots {
		there = there || k.Key == key
	}
	if !there || !named {
		p.t.Errorf("snapshot %s is there: %v, named as held by lease %q: %v", key, there, lease, named)
	}
}

// A person reads the name of the lease.
func TestBuildHistoryInText(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.must(s.HistoryLease(s.ctx(), "u7w5c2jq1xyz", s.added("docker.io/library/built:1", 2)))
		s.ready()
		r := run(t, append(s.where(), "--force", "--all")...).Want(t, programs.ExitDone)
		if !strings.Contains(r.Stdout, `lease "`+imagestore.HistoryID("u7w5c2jq1xyz")+`"`) {
			t.Errorf("the lease is not named:\n%s", r.Stdout)
		}
	})
}

// What belongs to work in progress is not touched, even where it shares layers
// and configs with images that go: the leases of an interrupted pull and of a
// build's cache, an upload, and what other namespaces have.
func TestOtherPeoplesWork(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		base := s.added("docker.io/library/base:1", 2)
		gone := s.added("docker.io/library/gone:1", 1)
		pulling := s.on(base, "docker.io/library/pulling:1")
		s.must(s.PullLease(s.ctx(), "4126859823-9hE7", time.Now().Add(day), pulling))

		building := s.added("docker.io/library/building:1", 1)
		s.must(s.Lease(s.ctx(), imagestore.LeaseSpec{
			ID: "1093847562-Zk3b", Expires: time.Now().Add(time.Hour),
			Resources: []leases.Resource{imagestore.ContentResource(building.Config.Desc.Digest)},
		}))
		cached := s.added("docker.io/library/cached:1", 1)
		s.must(s.Lease(s.ctx(), imagestore.LeaseSpec{
			ID: "cache-record", Flat: true,
			Resources: []leases.Resource{s.SnapshotResource(cached.ChainIDs()[0]), imagestore.ContentResource(cached.Layers[0].Desc.Digest)},
		}))
		_, err := s.Ingest(s.ctx(), "layer-sha256:upload", make([]byte, 4096))
		s.must(err, s.In("other").Add(s.ctx(), s.on(base, "docker.io/library/other:1")))

		p := s.prune("--all")
		p.wantNames("default")
		p.wantNames("other", "docker.io/library/other:1")
		p.wantHeldBy("4126859823-9hE7", base.Layers[0].Desc.Digest)
		p.wantHeldBy("1093847562-Zk3b", building.Config.Desc.Digest)
		p.wantHeldBy("cache-record", cached.Layers[0].Desc.Digest)
		// The unpacked snapshots of what is being built and what is cached
		// stay; of the layers of the base only the namespace's own go.
		for _, key := range append(building.ChainIDs(), cached.ChainIDs()...) {
			if _, left := p.after.Namespaces["default"].Snapshots[oracle.SnapshotKey{Snapshotter: s.Snapshotter, Key: key}]; !left {
				t.Errorf("snapshot %s is gone", key)
			}
		}
		for _, d := range gone.Digests() {
			if _, left := p.after.Files[d]; left {
				t.Errorf("blob %s is still there", d)
			}
		}
	})
}
