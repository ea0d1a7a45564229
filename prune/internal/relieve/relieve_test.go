package relieve

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestMain(m *testing.M) { tw.Main(m) }

// shop is a store with three unused images, on a disk that gives back as much of
// each as a test says.
type shop struct {
	*tw.Scene
	t *testing.T
	// gives is how much is available after so many images went, after so many waits.
	gives func(gone, waits int) int64
	waits int
}

func newShop(t *testing.T, gives func(gone, waits int) int64) *shop {
	w := tw.World{"default": {
		tw.Blob("a"), tw.Record("a:1", "a"), tw.Blob("b"), tw.Record("b:1", "b"), tw.Blob("c"), tw.Record("c:1", "c"),
	}}
	return &shop{Scene: tw.NewScene(t, w), t: t, gives: gives}
}

func (s *shop) looker() filesystem.Looker {
	return filesystem.Looker{
		Statfs: func(_ string, into *unix.Statfs_t) error {
			*into = unix.Statfs_t{Bsize: 1, Frsize: 1, Blocks: 1000, Bavail: uint64(s.gives(3-len(s.Records()), s.waits))}
			return nil
		},
		Stat: func(string, *unix.Stat_t) error { return nil },
	}
}

// relieve asks for so many bytes of the disk.
func (s *shop) relieve(need int64) (*Relieved, *plan.Plan) {
	s.t.Helper()
	all := tw.Must(s.looker().Again([]filesystem.FileSystem{{Path: "/x", Content: true, Snapshotters: []string{}}}))
	all[0].NeedBytes = need
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(), Pressure: &filesystem.Pressure{FileSystems: all}}
	p := tw.Must(flow.ReadPlan(context.Background(), s.Store, policy, time.Now(), read.ReadOptions{}))
	r := &rounds{store: s.Tape, opts: run.ExecuteOptions{Now: time.Now}, looker: s.looker(), result: &Relieved{}}
	r.wait = func(context.Context, time.Duration) { s.waits++ }
	if err := r.run(context.Background(), p); err != nil {
		s.t.Fatal(err)
	}
	return r.result, p
}

var each = int64(len(tw.Body("a")))

// A disk that gives back at once is looked at once, one that gives back late is
// waited for, and no more goes than was planned.
func TestDiskGivesBackLate(t *testing.T) {
	for late := range 3 {
		s := newShop(t, func(gone, waits int) int64 {
			if waits < late*40 {
				return 0
			}
			return int64(gone) * each
		})
		done, _ := s.relieve(each)
		if left := s.Records(); len(left) != 2 || !done.Reached || done.Shortfall != nil || len(done.Reports) != 1 || s.waits != late*40 {
			t.Errorf("late %d: %v are left after %d waits: %+v", late, left, s.waits, done)
		}
	}
}

// A disk that gives back less than was planned is planned for anew, with what is
// missing, until it is enough; three rounds at most.
func TestDiskGivesBackLess(t *testing.T) {
	s := newShop(t, func(gone, _ int) int64 { return int64(gone) * each / 2 })
	done, _ := s.relieve(each)
	if left := s.Records(); len(left) != 1 || !done.Reached || len(done.Reports) != 2 {
		t.Errorf("%v are left after %d rounds: %+v", left, len(done.Reports), done)
	}
	s = newShop(t, func(int, int) int64 { return 0 })
	done, _ = s.relieve(each)
	if left := s.Records(); len(left) != 0 || done.Reached || len(done.Reports) != mostRounds || done.Shortfall == nil || done.FileSystems[0].NeedBytes != each {
		t.Errorf("%v are left after %d rounds: %+v", left, len(done.Reports), done)
	}
}

// What cannot be reached is one round, and the sentence of its plan.
func TestTargetOutOfReach(t *testing.T) {
	s := newShop(t, func(gone, _ int) int64 { return int64(gone) * each })
	done, p := s.relieve(100 * each)
	if left := s.Records(); len(left) != 0 || done.Reached || len(done.Reports) != 1 || done.Shortfall != p.Relief.Shortfall {
		t.Errorf("%v are left after %d rounds: %+v", left, len(done.Reports), done)
	}
}

// The grace of an earlier run ends before an image goes, and if that is enough, none
// does.
func TestGracesEndFirst(t *testing.T) {
	s := newShop(t, func(gone, _ int) int64 { return int64(gone) * each })
	report, _ := s.WithGrace()
	if len(report.Untagged) != 3 {
		t.Fatalf("%+v", report)
	}
	s.Add(tw.Blob("d"), tw.Record("d:1", "d"))
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All(), Pressure: &filesystem.Pressure{FreeBytes: each}}
	p := tw.Must(flow.ReadPlan(context.Background(), s.Store, policy, time.Now(), read.ReadOptions{}))
	done := tw.Must(Relieve(context.Background(), s.Tape, p, run.ExecuteOptions{Now: time.Now}))
	if left := s.Records(); len(left) != 1 || !done.Reached || done.Dropped.Blobs < 3 || s.HasBlob("a") {
		t.Errorf("%v are left: %+v", left, done)
	}
}
