package testworld

import (
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

// Stale is a store in which a lease has expired that holds a writable snapshot.
func Stale(t *testing.T) *Scene {
	return NewScene(t, World{"default": {
		Blob("a"), Record("x:1", "a"), Active("mount", ""),
		Lease("mount", Expiring(time.Now().Add(-time.Hour)), Holding(TheSnapshot("memory", "mount"))),
	}})
}

// Renew is what the owner of the lease does when a collection has taken it: it
// makes the lease and the snapshot again.
func (s *Scene) Renew() {
	s.Collect()
	s.Add(Active("mount", ""), Lease("mount", Holding(TheSnapshot("memory", "mount"))))
}

// CheckMount looks whether the lease and its snapshot are there.
func (s *Scene) CheckMount(want bool) {
	s.T.Helper()
	_, err := s.Store.Snapshotter("memory").Stat(s.Ctx, "mount")
	leased := slices.ContainsFunc(Must(s.Store.Leases().List(s.Ctx)), func(l leases.Lease) bool { return l.ID == "mount" })
	if there := err == nil; there != want || leased != want {
		s.T.Errorf("the snapshot is there: %v, the lease: %v, want %v", there, leased, want)
	}
}
