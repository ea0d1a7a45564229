package simulation

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 1, "how many weeks are simulated")
	out   = flag.String("out", "", "the `FILE` that the table is written to")
)

// pruner looks at a host at fixed intervals, and prunes it if it wants to.
type pruner interface {
	every() time.Duration
	look(h *host)
}

// live lets the events happen on a new host, which the pruner looks at.
func live(events []event, p pruner) tally {
	h := newHost(monday)
	next := monday
	for _, e := range events {
		for ; next.Before(e.at); next = next.Add(p.every()) {
			h.now = next
			p.look(h)
		}
		h.now = e.at
		if e.built {
			h.add(e.image)
		} else {
			h.use(e.image, e.runs)
		}
	}
	return h.tally
}

// The marks are those of the kubelet, for all.
const (
	high, low, critical = 85, 80, 95
)

// TestWeek shows that a policy, and plans that know what each removal frees, do better
// than the longest unused image first by compressed sizes: what is removed is not
// needed again within a day, each run frees what it is to, and few collections do it.
func TestWeek(t *testing.T) {
	pruners := []struct {
		name string
		new  func() pruner
	}{
		{"as the kubelet does", func() pruner { return newLRU(high, low) }},
		{"ctr-prune, every unused image", func() pruner { return newPlanner(t, everything, high, low, critical) }},
		{"ctr-prune with a policy", func() pruner { return newPlanner(t, buildHost(t), high, low, critical) }},
	}
	sums := make([]tally, len(pruners))
	for seed := range *seeds {
		events := drawWeek(uint64(seed), 7)
		for i, p := range pruners {
			sums[i].add(live(events, p.new()))
		}
	}
	var table strings.Builder
	table.WriteString("| | runs | too little freed | freed / wanted | removed | needed again within a day | pulled again | collections | fullest |\n|---|---|---|---|---|---|---|---|---|\n")
	for i, p := range pruners {
		table.WriteString(sums[i].row(p.name))
	}
	t.Logf("%d weeks:\n%s", *seeds, &table)
	if *out != "" {
		if err := os.WriteFile(*out, []byte(table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sums[2].wantBetter(t, sums[0])
}

// wantBetter fails the test unless a tally is better than another in every way.
func (a tally) wantBetter(t *testing.T, b tally) {
	t.Helper()
	if a.runs == 0 || a.short > 0 || b.short == 0 || a.full > 0 {
		t.Errorf("of %d runs %d freed too little, of the other's %d", a.runs, a.short, b.short)
	}
	if 10*a.needed > b.needed || a.pulledAgain > b.pulledAgain {
		t.Errorf("%d removed images were needed again (%d MB), of the other's %d (%d MB)", a.needed, a.pulledAgain/mb, b.needed, b.pulledAgain/mb)
	}
	if 5*a.collections > b.collections || a.highest > b.highest {
		t.Errorf("%d collections, the other's %d; at most %d GB, the other's %d", a.collections, b.collections, a.highest/gb, b.highest/gb)
	}
	if over := a.freed - a.wanted; over < 0 || over*10 > a.wanted {
		t.Errorf("%d MB were freed, and %d wanted", a.freed/mb, a.wanted/mb)
	}
}

func (a *tally) add(b tally) {
	a.runs, a.collections, a.removals, a.needed = a.runs+b.runs, a.collections+b.collections, a.removals+b.removals, a.needed+b.needed
	a.pulledAgain, a.wanted, a.freed = a.pulledAgain+b.pulledAgain, a.wanted+b.wanted, a.freed+b.freed
	a.short, a.full, a.highest = a.short+b.short, a.full+b.full, max(a.highest, b.highest)
}

func (a tally) row(name string) string {
	return fmt.Sprintf("| %s | %d | %d | %.2f | %d | %d | %.1f GB | %d | %d %% |\n", name, a.runs, a.short, float64(a.freed)/float64(max(a.wanted, 1)),
		a.removals, a.needed, float64(a.pulledAgain)/float64(gb), a.collections, a.highest*100/(200*gb))
}
