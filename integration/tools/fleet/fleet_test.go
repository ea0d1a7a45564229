package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// The tables of docs/fleet.md are those that the program prints.
func TestDocumentHasTheTables(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	write(&out)
	for table := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n\n") {
		if !bytes.Contains(doc, []byte(table)) {
			t.Errorf("docs/fleet.md has not:\n%s", table)
		}
	}
}

// A policy changes what is removed and not what happens, and whoever keeps more pulls
// less again.
func TestTrafficFollowsThePolicy(t *testing.T) {
	before := -1
	for _, p := range policies {
		m := simulate(p)
		if first := m.pulls - m.again; first != simulate(policies[0]).pulls {
			t.Errorf("%s: %d first pulls", p.name, first)
		}
		if strings.Contains(p.name, "nothing") {
			if m.again != 0 {
				t.Errorf("without pruning %d are pulled again", m.again)
			}
			continue
		}
		if before >= 0 && m.again > before {
			t.Errorf("%s keeps more than the one before, and pulls %d again instead of %d", p.name, m.again, before)
		}
		before = m.again
	}
}

// Nodes begin one after the other, within the jitter.
func TestNodesBeginWithinTheJitter(t *testing.T) {
	all := begins(1000, jitter, changed)
	if span := all[len(all)-1].Sub(all[0]); span > jitter || span < jitter*9/10 || busiest(all, time.Second) > 10 {
		t.Errorf("1,000 nodes begin within %s, %d in one second", span, busiest(all, time.Second))
	}
	if busiest(begins(1000, 0, changed), time.Second) != 1000 {
		t.Error("without a jitter they do not begin at once")
	}
}
