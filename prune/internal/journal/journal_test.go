package journal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Which documents of a plan are there tells whether the run that wrote them can
// have deleted anything, and whether all of that is known.
func TestPastPlan(t *testing.T) {
	for _, c := range []struct {
		docs           string // numbers; "!" says the last
		missing, whole bool
	}{
		{"", false, false}, {"0", false, false}, {"0!", false, true}, {"0 1!", false, true}, {"1! 0", false, true}, {"0 1", false, false},
		{"1!", true, false}, {"0 2!", true, false}, {"1", true, false},
	} {
		var p journal.PastPlan
		for _, doc := range strings.Fields(c.docs) {
			tw.Must(0, p.Add(fmt.Appendf(nil, `{"schema":%d,"chunk":%s,"last":%v}`, journal.PlanSchema, doc[:1], strings.Contains(doc, "!"))))
		}
		if (p.Missing() != nil) != c.missing || p.Whole() != c.whole {
			t.Errorf("of %q: %v, whole %v", c.docs, p.Missing(), p.Whole())
		}
	}
}

func TestPlanBlobsOfOthers(t *testing.T) {
	for _, doc := range []string{"", "{", `{"schema":1}`, `{"schema":3}`, `[]`, `{}`} {
		if _, err := journal.ParsePlanBlob([]byte(doc)); err == nil {
			t.Errorf("%q is a plan", doc)
		}
	}
}
