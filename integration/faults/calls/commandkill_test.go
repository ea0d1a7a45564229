package calls

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/proxy"
)

// The calls at which a run is always disturbed.
const (
	createLease = "/containerd.services.leases.v1.Leases/Create"
	deleteLease = "/containerd.services.leases.v1.Leases/Delete"
	deleteImage = "/containerd.services.images.v1.Images/Delete"
	writeBlob   = "/containerd.services.content.v1.Content/Write"
	updateBlob  = "/containerd.services.content.v1.Content/Update"
)

// spot is a call of a run, by its method: the order of calls that are made at
// once is not always the same.
type spot struct {
	method   string
	nth      int
	answered bool
}

func (s spot) String() string {
	when := before
	if s.answered {
		when = after
	}
	return fmt.Sprintf("%s call %d of %s", when, s.nth, s.method)
}

func (s spot) is(c proxy.Call) bool {
	return c.Method == s.method && c.Nth == s.nth && c.Answered == s.answered
}

// spots are the calls of a run to disturb: every one, before it and after it,
// in the long mode, else those at which the store changes hands and a spread.
func spots(calls []proxy.Call) []spot {
	var all []spot
	at := func(c proxy.Call, answered bool) {
		if s := (spot{c.Method, c.Nth, answered}); !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if long() {
		for _, c := range calls {
			at(c, false)
			at(c, true)
		}
		return all
	}
	first := map[string]proxy.Call{}
	last := map[string]proxy.Call{}
	for _, c := range calls {
		if _, seen := first[c.Method]; !seen {
			first[c.Method] = c
		}
		last[c.Method] = c
	}
	at(first[createLease], true)
	at(first[writeBlob], true)
	at(first[deleteImage], false)
	at(last[deleteImage], true)
	at(first[updateBlob], false)
	at(last[deleteLease], false) // the one that waits for the collection
	at(last[deleteLease], true)
	for i, n := range steps(len(calls), 12-len(all)) {
		at(calls[n-1], i%2 == 1)
	}
	return all
}

// The command is killed at its calls. What it leaves is whole, the next run
// names it and finishes it, and the outcome is that of an undisturbed one.
func TestCommandKilledAtItsCalls(t *testing.T) {
	program := programs.Build(t)
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		b.program = program
		calls := b.undisturbed()
		kills := 0
		for _, s := range spots(calls) {
			if b.killCommand(s) {
				kills++
			}
		}
		t.Logf("%d kills of the command in runs of %d calls", kills, len(calls))
		if kills < few {
			t.Errorf("only %d commands were killed", kills)
		}
	})
}

// undisturbed runs the command with nothing in its way and returns its calls.
func (b *bed) undisturbed() []proxy.Call {
	b.t.Helper()
	r, p := b.through(func(context.Context, proxy.Call, *programs.Process) {})
	if code, _ := r.End(); code != 0 {
		b.t.Fatalf("the undisturbed command ends with %d: %s", code, r.Stderr())
	}
	b.must(p.Close())
	b.complete("undisturbed")
	b.again()
	return p.Calls()
}

// killCommand kills the command at a call and lets the next one finish.
func (b *bed) killCommand(s spot) bool {
	b.t.Helper()
	what := "killed " + s.String()
	r, p := b.through(func(ctx context.Context, c proxy.Call, child *programs.Process) {
		if s.is(c) {
			child.Signal(syscall.SIGKILL)
			<-ctx.Done()
		}
	})
	_, sig := r.End()
	b.must(p.Close())
	b.unharmed(what)
	b.rerun(what)
	b.again()
	return sig == syscall.SIGKILL
}
