package model

import (
	"fmt"
	"strings"
	"sync"
)

// tally counts what happened, over all stores.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func newTally() *tally { return &tally{counts: map[string]int{}} }

func (c *tally) add(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what] += n
}

func (c *tally) count(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[what]
}

// String is a table: all steps, then all else.
func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	total, isStep := 0, map[string]bool{}
	for _, s := range steps {
		isStep[s.name] = true
		total += c.counts[s.name]
		fmt.Fprintf(&b, "\n%7d  %s", c.counts[s.name], s.name)
	}
	fmt.Fprintf(&b, "\n%7d  steps, of which", total)
	fmt.Fprintln(&b)
	for _, name := range sorted(c.counts) {
		if !isStep[name] {
			fmt.Fprintf(&b, "\n%7d  %s", c.counts[name], name)
		}
	}
	return b.String()
}
