package clients_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A container that is being created when the plan is made has no record yet, but
// a lease holds its snapshot. Without one, or when that is over, nobody creates
// anything: what is left of containers is not known by anything else.
func TestContainerBegunBeforeThePlan(t *testing.T) {
	soon, over := tw.Expiring(time.Now().Add(time.Hour)), tw.Expiring(time.Now().Add(-time.Hour))
	for name, c := range map[string]struct {
		lease []tw.Thing
		kept  bool
	}{
		"under a lease":          {[]tw.Thing{tw.Lease("now", soon, tw.Holding(tw.TheSnapshot("memory", "c")))}, true},
		"under one that is over": {[]tw.Thing{tw.Lease("once", over, tw.Holding(tw.TheSnapshot("memory", "c")))}, false},
		"under one for good":     {[]tw.Thing{tw.Lease("cache", tw.Holding(tw.TheSnapshot("memory", "c")))}, false},
		"without":                {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, tw.World{"default": append([]tw.Thing{
				tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Active("c", "s1"), tw.Record("x:1", "a"),
			}, c.lease...)})
			d := s.Plan(tw.Process(t, 1)).Decisions[0]
			if kept := d.Action == rules.Keep && strings.Contains(d.Reason, "a container that is being created"); kept != c.kept {
				t.Errorf("%s: %s", d.Action, d.Reason)
			}
		})
	}
}
