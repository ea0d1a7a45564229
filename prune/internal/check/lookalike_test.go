package check_test

import (
	"context"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A label that only looks as if it kept its image is found, once a record.
func TestLabelsWithoutEffect(t *testing.T) {
	s := tw.World{"default": {
		tw.Blob("a"), tw.Record("a:1", "a", tw.Labelled("pinned", "true")), tw.Blob("b"), tw.Record("b:1", "b", tw.Labelled("ctr-prune/keep", "yes")),
	}}.Build(t, t.TempDir())
	defer func() { tw.Must(0, s.Close()) }()
	found := tw.Must(check.Check(context.Background(), s, tw.Started, check.CheckOptions{Read: read.ReadOptions{Procfs: tw.Process(t, 1)}})).Findings
	if len(found) != 1 || found[0].Problem != check.ProblemLookalike || found[0].Object != "a:1" || found[0].Fix != "ctr -n default images label a:1 ctr-prune/keep=yes" {
		t.Errorf("found %+v", found)
	}
}
