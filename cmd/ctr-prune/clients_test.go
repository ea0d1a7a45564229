package main

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// All commands that tell or do what a prune does can be told whom to ask, with
// the same flags: a new one that opens a store has to be put on a side here.
func TestCommandsThatDecideAskClients(t *testing.T) {
	var asks, opens []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		flags := c.Flags()
		switch docker, pods := flags.Lookup(flagDockerHost), flags.Lookup("pods"); {
		case (docker == nil) != (pods == nil):
			t.Errorf("%s asks only one of Docker and the kubelet", c.CommandPath())
		case docker != nil:
			asks = append(asks, c.CommandPath())
		case flags.Lookup("address") != nil:
			opens = append(opens, c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(newRoot(process{}))
	slices.Sort(asks)
	slices.Sort(opens)
	want := []string{
		"ctr-prune", "ctr-prune apply", "ctr-prune check", "ctr-prune df", "ctr-prune explain", "ctr-prune leases prune", "ctr-prune plan",
	}
	if diff := cmp.Diff(want, asks); diff != "" {
		t.Errorf("commands that ask clients (-want +got):\n%s", diff)
	}
	// These decide about no image: they list leases and runs, or put back or
	// give up what a run has removed.
	want = []string{"ctr-prune leases", "ctr-prune runs", "ctr-prune runs drop", "ctr-prune undo"}
	if diff := cmp.Diff(want, opens); diff != "" {
		t.Errorf("commands that do not (-want +got):\n%s", diff)
	}
}
