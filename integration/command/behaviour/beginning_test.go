package behaviour_test

import (
	"context"
	"strings"
	"sync"
	"testing"
)

// A container that is being created while a run deletes, of which there is only
// the snapshot yet, finds its image when it is there: by every name.
func TestImageOfAContainerBeingCreatedComesBack(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		img, gone := s.added("docker.io/library/used:1", 2), s.added("docker.io/library/gone:1", 1)
		s.must(s.Tag(s.ctx(), img.Name, "docker.io/library/used:2"))
		s.ready()
		store := s.daemon.Open()
		defer store.Close()
		plan := planned(t, store)
		// The lease is the client's, as for every container.
		prepare := sync.OnceFunc(func() {
			chain := img.ChainIDs()
			ctx, _, err := s.Client.WithLease(s.Context(s.ctx()))
			s.must(err)
			_, err = s.Client.SnapshotService(s.Snapshotter).Prepare(ctx, "late", chain[len(chain)-1])
			s.must(err)
		})
		p := s.execute(plan, hooked{Store: store, deleted: func(context.Context) { prepare() }}, expected{changes: true})
		p.wantNames("default", img.Name, "docker.io/library/used:2")
		// What was not deleted yet when the snapshot came is kept, the rest
		// comes back.
		for _, r := range p.Restored {
			if !strings.Contains(r.Reason, "writable snapshot") {
				t.Errorf("restored for %q", r.Reason)
			}
		}
		p.wantBlobsGone(gone)
	})
}
