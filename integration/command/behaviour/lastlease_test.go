package behaviour_test

import (
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

const callCreateImage = "/containerd.services.images.v1.Images/Create"

// expire deletes a lease as containerd does when its time is over.
func (s *subject) expire(prefix string, opts ...leases.DeleteOpt) {
	s.t.Helper()
	ctx := s.Context(s.ctx())
	list, err := s.Client.LeasesService().List(ctx)
	s.must(err)
	for _, lease := range list {
		if strings.HasPrefix(lease.ID, prefix) {
			s.must(s.Client.LeasesService().Delete(ctx, lease, opts...))
			return
		}
	}
	s.t.Fatalf("there is no lease %s", prefix)
}

// A grace that ends while its run is undone, right before a record is made,
// takes nothing from that record.
func TestGraceEndsDuringTheUndo(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		img := s.added("docker.io/library/a:1", 2)
		s.ready()
		run(t, append(s.where(), "--all", "--force", "--grace", "1h")...).Want(t, programs.ExitDone)
		proxy := s.newProxy()
		held := proxy.hold(callCreateImage, 1, false)
		undo := start(t, "undo", "--address", proxy.address)
		await(t, "the record", held.reached)
		s.expire("ctr-prune-grace-", leases.SynchronousDelete)
		held.release()
		finish(t, undo).Want(t, programs.ExitDone)
		s.must(s.Collect(s.ctx()))
		for _, dgst := range img.Digests() {
			if _, err := s.Client.ContentStore().Info(s.Context(s.ctx()), dgst); err != nil {
				t.Errorf("of the image that is back: %v", err)
			}
		}
	})
}

// The run asks for its collection also if the lease is gone whose deletion
// would have brought it.
func TestRunLeaseIsGoneBeforeItsDeletion(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		going := s.several()
		s.ready()
		proxy := s.newProxy()
		held := proxy.hold(callDeleteLease, 1, false)
		child := start(t, proxy.through("--all")...)
		await(t, "the deletion of the lease", held.reached)
		s.expire("ctr-prune")
		held.release()
		doc := finish(t, child).Want(t, programs.ExitDone).Document(t)
		if len(doc.Untagged) != len(going) || doc.Reclaimed != doc.Predicted || doc.Reclaimed.Blobs == 0 {
			t.Errorf("untagged %d, reclaimed %+v of %+v", len(doc.Untagged), doc.Reclaimed, doc.Predicted)
		}
	})
}
