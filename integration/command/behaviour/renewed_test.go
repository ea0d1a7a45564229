package behaviour_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/pkg/namespaces"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	leasesQuestion = "Remove these leases? [y/N] "
	// mountID is a lease as `ctr images mount` makes it: by the path.
	mountID = "/mnt/image"
)

// onPatient runs a test on daemons that collect only when they are asked to.
func onPatient(t *testing.T, test func(t *testing.T, s *subject), modes ...bool) {
	t.Parallel()
	daemon.EachMode(t, func(t *testing.T, v parts.Part, stopped bool) {
		t.Parallel()
		d := daemon.Start(t, daemon.Options{Version: v, NoSync: true, Config: daemon.Patient})
		s := &subject{daemon: d, Store: d.Store("default"), make: imagestore.New(1), stopped: stopped, t: t}
		s.added("docker.io/library/stays:1", 1)
		s.must(s.Collect(s.ctx())) // what it does when it starts is done
		test(t, s)
	}, modes...)
}

// mount makes a lease that holds a writable snapshot, with a user's file in
// it, and returns the file.
func (s *subject) mount(expires time.Time) string {
	s.t.Helper()
	s.must(s.Lease(s.ctx(), imagestore.LeaseSpec{ID: mountID, Expires: expires}))
	ctx := leases.WithLease(s.Context(s.ctx()), mountID)
	mounts, err := s.Client.SnapshotService(s.Snapshotter).Prepare(ctx, mountID, "")
	s.must(err)
	file := filepath.Join(mounts[0].Source, "work")
	s.must(os.WriteFile(file, []byte("of a user"), 0o600))
	return file
}

// expired is a lease of the past.
func (s *subject) expired(id string) {
	s.t.Helper()
	s.must(s.Lease(s.ctx(), imagestore.LeaseSpec{ID: id, Expires: time.Now().Add(-time.Hour)}))
}

// wantMount fails the test unless the lease, the snapshot and the file are
// there.
func (s *subject) wantMount(file string) {
	s.t.Helper()
	ns := s.state().Namespaces["default"]
	if _, there := ns.Leases[mountID]; !there {
		s.t.Error("the live lease is gone")
	}
	if _, there := ns.Snapshots[oracle.SnapshotKey{Snapshotter: s.Snapshotter, Key: mountID}]; !there {
		s.t.Error("the snapshot of the live lease is gone")
	}
	if text, err := os.ReadFile(file); string(text) != "of a user" {
		s.t.Errorf("the user's file: %q, %v", text, err)
	}
}

// An expired lease is listed. While the question waits it is collected, and its
// owner makes a live one with the same ID. Answered with yes, that one, its
// writable snapshot and the user's file in it stay, and are told.
func TestLeaseRenewedBeforeTheAnswer(t *testing.T) {
	onPatient(t, func(t *testing.T, s *subject) {
		s.mount(time.Now().Add(-time.Hour))
		x := onTerminal(t, false, append([]string{"leases", "prune"}, s.where()...)...)
		x.await(leasesQuestion)
		if !strings.Contains(x.text(), mountID) {
			t.Errorf("it is not listed:\n%s", x.text())
		}
		s.must(s.Collect(s.ctx()))
		file := s.mount(time.Now().Add(day))
		s.expired("late")
		x.answer("y")
		r := x.end().Want(t, programs.ExitDone)
		s.wantMount(file)
		for _, line := range []string{
			"Kept: lease " + mountID + " (pull or build in progress): it had expired, but its owner has renewed it\n",
			"Removed: lease late (pull or build in progress): expired",
		} {
			if !strings.Contains(r.Stdout, line) {
				t.Errorf("it does not say %q:\n%s", line, r.Stdout)
			}
		}
		if strings.Contains(r.Stdout, "Removed: lease "+mountID) {
			t.Errorf("it says that the live lease is gone:\n%s", r.Stdout)
		}
		if _, there := s.state().Namespaces["default"].Leases["late"]; there {
			t.Error("the expired lease is not collected")
		}
	}, false)
}

// Leases that expire while the question waits are collected, and told, with
// what they held; a stopped store, which nobody else collects, is no exception.
func TestLeaseExpiresBeforeTheAnswer(t *testing.T) {
	onPatient(t, func(t *testing.T, s *subject) {
		expires := time.Now().Add(20 * time.Second).Truncate(time.Second)
		file := s.mount(expires)
		s.expired("old")
		if s.stopped {
			s.daemon.Stop()
		}
		x := onTerminal(t, false, append([]string{"leases", "prune", "--format", "json"}, s.where()...)...)
		x.await(leasesQuestion)
		<-time.After(time.Until(expires.Add(time.Second))) // nothing tells of it
		x.answer("y")
		var doc prune.PrunedLeases
		s.must(json.Unmarshal([]byte(x.end().Want(t, programs.ExitDone).Stdout), &doc))
		told := make(map[string]string)
		for _, l := range doc.Removed {
			told[l.ID] = l.Reason
		}
		if len(told) != 2 || !strings.HasPrefix(told["old"], "expired: ") || !strings.HasPrefix(told[mountID], "expired since ") {
			t.Errorf("removed %v", told)
		}
		if doc.Reclaimed.Snapshots != 1 || doc.Reclaimed.SnapshotBytes == 0 || doc.Garbage != (prune.Amount{}) {
			t.Errorf("reclaimed %+v, garbage %+v", doc.Reclaimed, doc.Garbage)
		}
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("what the lease held: %v", err)
		}
		if left := s.state().Namespaces["default"].Leases; len(left) != 0 {
			t.Errorf("leases left: %v", left)
		}
	}, false, true)
}

// onLease is a store that calls back before the first lease is made or
// deleted, and notes in which namespaces leases are made.
type onLease struct {
	prune.Store
	first func()
	where *[]string
}

func (o onLease) Leases() leases.Manager { return onLeases{o.Store.Leases(), o} }

type onLeases struct {
	leases.Manager
	onLease
}

func (o onLeases) Create(ctx context.Context, opts ...leases.Opt) (leases.Lease, error) {
	o.first()
	name, _ := namespaces.Namespace(ctx)
	*o.where = append(*o.where, name)
	return o.Manager.Create(ctx, opts...)
}

func (o onLeases) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	o.first()
	return o.Manager.Delete(ctx, lease, opts...)
}

// So it is with a repair, at the last moment.
func TestLeaseRenewedDuringARepair(t *testing.T) {
	onPatient(t, func(t *testing.T, s *subject) {
		s.mount(time.Now().Add(-time.Hour))
		store := s.daemon.Open()
		defer store.Close()
		found, err := prune.Check(s.ctx(), store, time.Now(), prune.CheckOptions{})
		s.must(err)
		var file string
		var where []string
		first := sync.OnceFunc(func() {
			s.must(s.Collect(s.ctx()))
			file = s.mount(time.Now().Add(day))
		})
		repaired, err := prune.Repair(s.ctx(), onLease{store, first, &where}, found.Findings, prune.ExecuteOptions{Now: time.Now})
		s.must(err)
		if len(repaired.Renewed) != 1 || repaired.Renewed[0].ID != mountID {
			t.Errorf("%+v", repaired)
		}
		s.wantMount(file)
	}, false)
}

// A repair of a store in which there is only Docker writes nothing into its
// namespaces, and leaves none behind.
func TestRepairBesideDocker(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.daemon.Expect(prune.ProblemUnreadable) // there is no Docker to ask
		moby := s.In("moby")
		s.must(moby.Add(s.ctx(), s.image("docker.io/library/app:1", 1)), s.In("moby_history").Collect(s.ctx()), moby.Collect(s.ctx()))
		if s.stopped {
			s.daemon.Stop()
		}
		store := s.daemon.Open()
		before, err := store.Namespaces(s.ctx())
		s.must(err)
		var where []string
		_, err = prune.Repair(s.ctx(), onLease{store, func() {}, &where}, nil, prune.ExecuteOptions{Now: time.Now})
		s.must(err)
		after, err := store.Namespaces(s.ctx())
		s.must(err, store.Close())
		if len(where) != 1 || !strings.HasPrefix(where[0], "ctr-prune-") {
			t.Errorf("leases were made in %v", where)
		}
		if want := []string{"moby", "moby_history"}; !slices.Equal(before, want) || !slices.Equal(after, want) {
			t.Errorf("namespaces %v before, %v after", before, after)
		}
	})
}
