package prune

import (
	"context"
	"testing"
)

// A build from the cache makes the same image again: its record, and then the
// label that its snapshots hang on, which is there already. If the run takes
// that label off a moment later, it gives it back.
func TestImageMadeAgainAsItsLabelsGo(t *testing.T) {
	for _, again := range []bool{false, true} {
		s := newScene(t, world{"default": {
			blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a"),
			lease(historyLease, holding(theBlob("b"))),
		}})
		s.tape.before = on("label «b»", func() error {
			if again {
				s.add(record("x:2", "a"))
			}
			return nil
		})
		must(s.run(context.Background(), process(t, 1)))
		_, err := s.store.Snapshotter("memory").Stat(s.ctx, "s1")
		labels := must(s.store.Content().Info(s.ctx, dig("b"))).Labels
		if there := err == nil && len(labels) == 1; there != again {
			t.Errorf("made again %v: labels %v, snapshot %v", again, labels, err)
		}
	}
}
