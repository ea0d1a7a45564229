package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A run neither counts such a file as freed nor takes it for one that could not
// be removed, whether the pull began before the plan or after.
func TestRemovedBlobThatAnUploadWaitsFor(t *testing.T) {
	begin := func(s *tw.Scene) {
		ctx := store.InNamespace(s.Ctx, "other")
		tw.Must(0, tw.Lease("pull", tw.Expiring(time.Now().Add(time.Hour))).Create(ctx, s.Store))
		tw.Must(0, tw.Upload("layer-"+tw.Digest("a").String(), "a", tw.LeasedTo("pull")).Create(ctx, s.Store))
	}
	for _, early := range []bool{false, true} {
		s := tw.NewScene(t, tw.World{"default": {tw.Blob("a"), tw.Blob("b"), tw.Record("x:1", "a"), tw.Record("y:1", "b")}, "other": {}})
		if early {
			begin(s)
		}
		plan := s.Plan(tw.Process(t, 1))
		s.Tape.Before = tw.On("write", func() error {
			if !early {
				begin(s)
			}
			return nil
		})
		report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
		if err != nil || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 1 || (plan.Predicted() == report.Reclaimed) != early {
			t.Errorf("early %v: predicted %+v, reclaimed %+v, untagged %v, %v", early, plan.Predicted(), report.Reclaimed, report.Untagged, err)
		}
		told := strings.Join(tw.Reasons(report.Changes), "; ")
		for _, held := range report.Held {
			told += held.Holder
		}
		if !strings.Contains(told, "upload in progress") || !strings.Contains(told, `in namespace "other"`) {
			t.Errorf("early %v: nothing tells of the upload: %q", early, told)
		}
	}
}

// leftOver is a store with files that containerd has forgotten.
type leftOver struct {
	store.Store
	files []digest.Digest
}

func (l leftOver) BlobFiles(ctx context.Context) (map[digest.Digest]struct{}, error) {
	files, err := l.Store.BlobFiles(ctx)
	for _, dgst := range l.files {
		files[dgst] = struct{}{}
	}
	return files, err
}

// Abilities hides that the files can be looked at one by one.
func (l leftOver) Abilities() store.Abilities { return store.Abilities{} }

// A blob whose file could not be removed is not reclaimed, and it is said.
func TestFilesThatStay(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	report, err := run.Execute(context.Background(), s.Plan(tw.Process(t, 1)), leftOver{s.Tape, []digest.Digest{tw.Digest("a")}}, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)})
	if err == nil || len(report.Errors) != 1 || report.Errors[0].ReasonCode != cause.CodeFilesLeft || report.Reclaimed.Blobs != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	for _, dgst := range report.DeletedBlobs() {
		if dgst == tw.Digest("a") {
			t.Error("it is listed as deleted")
		}
	}
}
