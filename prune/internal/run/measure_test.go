package run_test

import (
	"context"
	"slices"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// What is still there is told with the namespace of its holder, whichever that
// is: a digest alone has none.
func TestChangesNameTheNamespaceOfTheHolder(t *testing.T) {
	for _, ns := range []string{"default", "other"} {
		s := tw.NewScene(t, tw.World{
			"default": {tw.Blob("a"), tw.Record("x:1", "a"), tw.Blob("b")},
			"other":   {tw.Blob("a"), tw.Record("x:2", "a")},
		})
		s.Ctx = store.InNamespace(context.Background(), ns)
		s.Tape.After = tw.On("delete x:2", func() error {
			s.Add(tw.Lease("late", tw.Holding(tw.TheBlob("a"))))
			return nil
		})
		report, err := s.Run(context.Background(), proc.Procfs{})
		want := tw.Digest("a").String() + ` was expected to be removed but is still there: held by lease "late" (other client) in namespace "` + ns + `"`
		if err != nil || !slices.Equal(tw.Reasons(report.Changes), []string{want}) {
			t.Errorf("%+v, %v", report.Changes, err)
		}
	}
}
