package run_test

import (
	"context"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A build from the cache makes the same image again: its record, and then the
// label that its snapshots hang on, which is there already. If the run takes
// that label off a moment later, it gives it back.
func TestImageMadeAgainAsItsLabelsGo(t *testing.T) {
	for _, again := range []bool{false, true} {
		s := tw.NewScene(t, tw.World{"default": {
			tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a"),
			tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
		}})
		s.Tape.Before = tw.On("label «b»", func() error {
			if again {
				s.Add(tw.Record("x:2", "a"))
			}
			return nil
		})
		tw.Must(s.Run(context.Background(), tw.Process(t, 1)))
		_, err := s.Store.Snapshotter("memory").Stat(s.Ctx, "s1")
		labels := tw.Must(s.Store.Content().Info(s.Ctx, tw.Digest("b"))).Labels
		if there := err == nil && len(labels) == 1; there != again {
			t.Errorf("made again %v: labels %v, snapshot %v", again, labels, err)
		}
	}
}

// A container that appears right when the labels of its image's config go, and
// that only its snapshot ties to the image, gets a stand-in and the labels back: in the
// run that took them, and, if that one is killed, in the next.
func TestContainerAppearsAsLabelsGo(t *testing.T) {
	for _, killed := range []bool{false, true} {
		s := tw.NewScene(t, tw.World{"default": {
			tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a"),
			tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
		}})
		s.Tape.Before = func(call string) error {
			switch {
			case call == "label «b»" && !hasContainer(s, "c"):
				s.Add(tw.Snapshot("rw", "s1"), tw.Container("c", "", "rw"))
			case killed && call != "label «b»" && hasContainer(s, "c"):
				return tw.ErrDown
			}
			return nil
		}
		_, err := s.Run(context.Background(), tw.Process(t, 1))
		if killed {
			s.Tape.Before = nil
			_, err = s.Run(context.Background(), tw.Process(t, 2))
		}
		if err != nil {
			t.Fatal(err)
		}
		tw.CheckRecordNames(t, s, "<none>@«a»")
		if labels := store.SnapshotLabels(tw.Must(s.Store.Content().Info(s.Ctx, tw.Digest("b"))).Labels); len(labels) != 1 || !s.HasBlob("a") {
			t.Errorf("killed %v: labels %v, a %v", killed, labels, s.HasBlob("a"))
		}
		tw.CheckNothingOfOurs(t, s.Store)
	}
}

func hasContainer(s *tw.Scene, id string) bool {
	_, err := s.Store.Containers().Get(s.Ctx, id)
	return err == nil
}
