package prune

import (
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// A container that is being created when the plan is made has no record yet, but
// a lease holds its snapshot. Without one, or when that is over, nobody creates
// anything: what is left of containers is not known by anything else.
func TestContainerBegunBeforeThePlan(t *testing.T) {
	soon, over := expiring(time.Now().Add(time.Hour)), expiring(time.Now().Add(-time.Hour))
	for name, c := range map[string]struct {
		lease []thing
		kept  bool
	}{
		"under a lease":          {[]thing{lease("now", soon, holding(theSnapshot("memory", "c")))}, true},
		"under one that is over": {[]thing{lease("once", over, holding(theSnapshot("memory", "c")))}, false},
		"under one for good":     {[]thing{lease("cache", holding(theSnapshot("memory", "c")))}, false},
		"without":                {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, world{"default": append([]thing{
				blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), active("c", "s1"), record("x:1", "a"),
			}, c.lease...)})
			d := s.plan(process(t, 1)).Decisions[0]
			if kept := d.Action == rules.Keep && strings.Contains(d.Reason, "a container that is being created"); kept != c.kept {
				t.Errorf("%s: %s", d.Action, d.Reason)
			}
		})
	}
}
