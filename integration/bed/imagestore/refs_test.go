package imagestore_test

import (
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// What leases hold is the daemon's business: these are the forms that real
// clients leave, and a collection has to treat them as theirs.
func TestCollectionTreatsLeasesAsMeant(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		ctx := t.Context()
		d := daemon.Start(t, daemon.Options{Version: version})
		s := d.Store("default")
		b := imagestore.New(1)
		made := map[string]*imagestore.Image{}
		for _, name := range []string{"pull", "expired", "flat", "history"} {
			made[name] = b.Image(imagestore.Spec{Name: name + ":1", Layers: 2})
		}
		must(t, s.PullLease(ctx, "pull", time.Now().Add(time.Hour), made["pull"]))
		must(t, s.PullLease(ctx, "expired", time.Now().Add(-time.Hour), made["expired"]))
		for _, name := range []string{"flat", "history"} {
			must(t, s.Add(ctx, made[name]))
		}
		must(t, s.HistoryLease(ctx, "1", made["history"]))
		must(t, s.Lease(ctx, imagestore.LeaseSpec{ID: "flat", Flat: true, Resources: []leases.Resource{
			imagestore.ContentResource(made["flat"].Target.Digest),
			s.SnapshotResource(made["flat"].ChainIDs()[0]),
		}}))
		_, err := s.Ingest(ctx, "upload", []byte("never finished"))
		must(t, err)
		must(t, s.Untag(ctx, "flat:1", "history:1"))
		must(t, s.Collect(ctx))

		now := d.Capture().Namespaces["default"]
		for name, want := range map[string][2]int{ // blobs, snapshots
			"pull":    {4, 0}, // two layers, config, manifest
			"expired": {0, 0},
			"flat":    {1, 1}, // the manifest alone, the lower snapshot alone
			"history": {1, 2}, // the config, by whose label all snapshots
		} {
			if got := [2]int{blobsOf(now, made[name]), snapshotsOf(now, made[name])}; got != want {
				t.Errorf("%s: %v blobs and snapshots left, want %v", name, got, want)
			}
		}
		if _, ok := now.Ingests["upload"]; !ok {
			t.Error("the upload is gone")
		}
	})
}

func blobsOf(ns *oracle.Namespace, img *imagestore.Image) (n int) {
	for _, b := range img.Blobs() {
		if _, ok := ns.Content[b.Desc.Digest]; ok {
			n++
		}
	}
	return n
}

func snapshotsOf(ns *oracle.Namespace, img *imagestore.Image) (n int) {
	for key := range ns.Snapshots {
		for _, id := range img.ChainIDs() {
			if key.Key == id {
				n++
			}
		}
	}
	return n
}

func TestContainersOfAllClients(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		ctx := t.Context()
		d := daemon.Start(t, daemon.Options{Version: version})
		s := d.Store("k8s.io")
		img := imagestore.New(1).Image(imagestore.Spec{Layers: 2})
		must(t, s.Add(ctx, img, imagestore.CRINames("example.com/app", "1", img)...))
		must(t, s.Container(ctx, imagestore.ContainerSpec{ID: "ctr", Image: "example.com/app:1", Of: img}))
		must(t, s.NerdctlContainer(ctx, "0123456789abcdef", "web-1", "example.com/app:1", img))
		must(t, s.CRIContainer(ctx, "cri", "example.com/moved:2", img))

		now := d.Capture().Namespaces["k8s.io"]
		if len(now.Images) != 3 {
			t.Errorf("%d records, want CRI's three", len(now.Images))
		}
		for id, c := range now.Containers {
			info, ok := now.Snapshots[oracle.SnapshotKey{Snapshotter: s.Snapshotter, Key: c.SnapshotKey}]
			if !ok || info.Parent != img.ChainIDs()[1] || info.Kind.String() != "Active" {
				t.Errorf("container %s stands on %+v", id, info)
			}
		}
		if len(now.Containers["cri"].Extensions) != 1 {
			t.Error("CRI's extension did not arrive")
		}
		must(t, s.RemoveContainer(ctx, "ctr"))
		_, err := s.Client.SnapshotService(s.Snapshotter).Stat(s.Context(ctx), "ctr")
		if !errdefs.IsNotFound(err) {
			t.Errorf("the snapshot of a removed container: %v", err)
		}
	})
}

func TestRecordTimesCanBeForged(t *testing.T) {
	d := daemon.Start(t, daemon.Options{})
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	s := d.Store("default").At(then)
	img := imagestore.New(1).Image(imagestore.Spec{Name: "old:1"})
	must(t, s.Add(t.Context(), img))
	state := d.Capture().Namespaces["default"]
	if rec := state.Images["old:1"]; !rec.CreatedAt.Equal(then) || !rec.UpdatedAt.Equal(then) {
		t.Errorf("record of %v and %v, want %v", rec.CreatedAt, rec.UpdatedAt, then)
	}
	if at := state.Content[img.Target.Digest].CreatedAt; time.Since(at) > time.Hour {
		t.Errorf("the blob is of %v, want now", at)
	}
	d.Offline(func(e *imagestore.Embedded) error {
		return e.Backdate("default", then, img.Digests()...)
	})
	if at := d.Capture().Namespaces["default"].Content[img.Target.Digest].CreatedAt; !at.Equal(then) {
		t.Errorf("the blob is of %v after Backdate, want %v", at, then)
	}
}
