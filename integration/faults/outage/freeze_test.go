package outage

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// A containerd that freezes and comes back delays a run, and that is all.
func TestFrozenForAWhile(t *testing.T) {
	onDaemons(t, 6, func(b *bed) {
		for _, at := range []spot{firstList, firstDelete, collecting} {
			what := fmt.Sprintf("frozen at %s", at.Method)
			h := b.halt(at)
			b.d.Pause()
			h.release()
			b.d.Continue()
			if code := h.end(); code != 0 || !h.reached {
				b.t.Errorf("%s: reached %v, exit code %d: %s", what, h.reached, code, h.Stderr())
			}
			b.complete(what)
			b.fill()
		}
	})
}

// While containerd is frozen a run can be left: at once where nothing was
// removed yet, and by a second signal where the first one asks it to finish
// what it began.
func TestLeavingAFrozenContainerd(t *testing.T) {
	onDaemons(t, 6, func(b *bed) {
		for _, at := range []spot{firstList, firstDelete, collecting} {
			what := fmt.Sprintf("left while frozen at %s", at.Method)
			h := b.halt(at)
			b.d.Pause()
			h.release()
			h.Signal(syscall.SIGINT)
			if at != firstList {
				h.Signal(syscall.SIGTERM)
			}
			code, _ := h.End()
			b.d.Continue()
			b.must(h.proxy.Close())
			if code != programs.ExitInterrupted || !h.reached {
				b.t.Errorf("%s: reached %v, exit code %d: %s", what, h.reached, code, h.Stderr())
			}
			b.recovered(what)
		}
	})
}

// unhurried is how many images a store has whose deletion takes longer than it
// takes the command to hear of a signal.
const unhurried = 24

// One signal is enough once containerd moves again.
func TestInterruptedWhileFrozen(t *testing.T) {
	onDaemons(t, unhurried, func(b *bed) {
		h := b.halt(firstDelete)
		b.d.Pause()
		h.release()
		h.Signal(syscall.SIGINT)
		b.d.Continue()
		if code := h.end(); code != programs.ExitInterrupted {
			b.t.Fatalf("exit code %d: %s", code, h.Stderr())
		}
		if doc := h.Document(); !doc.Interrupted || len(doc.Errors) > 0 {
			b.t.Errorf("interrupted %v, errors %+v", doc.Interrupted, doc.Errors)
		}
		b.recovered("interrupted while frozen")
	})
}

// onDaemons runs a test on a bed of every version.
func onDaemons(t *testing.T, images int, test func(b *bed)) {
	program := programs.Build(t)
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		test(newBed(t, v, program, images))
	})
}
