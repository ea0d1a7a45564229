package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

func TestExitCodes(t *testing.T) {
	over, cancel := context.WithCancelCause(context.Background())
	cancel(errSignal)
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"usage", usagef("x"), 2},
		{"filter", fmt.Errorf("x: %w", &filters.Error{}), 2},
		{"policy, found out while reading", &unreadableError{&prune.PolicyError{}}, 2},
		{"busy, with another failure", errors.Join(&prune.Busy{}, errors.New("x")), 3},
		{"open", &prune.OpenError{Err: errdefs.ErrNotFound}, 4},
		{"gone while reading", &unreadableError{fmt.Errorf("listing: %w", errdefs.ErrUnavailable)}, 4},
		{"failed while reading", &unreadableError{errors.New("x")}, 1},
		{"unavailable, but not while reading", errdefs.ErrUnavailable, 1},
		{"interrupted", stopped(over, errors.New("x")), 130},
		{"failed, not interrupted", stopped(context.Background(), errors.New("x")), 1},
		{"said", &saidError{exitInterrupted}, 130},
		{"anything else", errors.New("x"), 1},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, got, c.want)
		}
	}
}

func TestComplaintsAreOneSentenceALine(t *testing.T) {
	one := errors.New("first\x1b[2J")
	wrapped := fmt.Errorf("second: %w: %w", errors.New("a"), errors.New("b"))
	f := newFake("")
	f.complain(errors.Join(one, errors.Join(wrapped, errors.New("third\nDeleted: all"))))
	want := "ctr-prune: first\\x1b[2J\nctr-prune: second: a: b\nctr-prune: third\\nDeleted: all\n"
	if f.err.String() != want {
		t.Errorf("got\n%swant\n%s", f.err, want)
	}
	f.err.Reset()
	if f.complain(&saidError{1}); f.err.Len() > 0 {
		t.Errorf("what was said already is said again: %s", f.err)
	}
}
