package behaviour_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// A run that is interrupted stops deleting, finishes what it began and
// accounts for it.
func TestInterruptedRun(t *testing.T) {
	for name, at := range map[string]struct {
		signal   syscall.Signal
		answered bool
	}{
		"SIGINT before a deletion": {syscall.SIGINT, false},
		"SIGTERM when one is done": {syscall.SIGTERM, true},
	} {
		t.Run(name, func(t *testing.T) {
			onDaemons(t, func(t *testing.T, s *subject) { s.testInterruptedRun(at.signal, at.answered) })
		})
	}
}

func (s *subject) testInterruptedRun(sig syscall.Signal, answered bool) {
	t := s.t
	s.several()
	s.ready()
	p := pruned{t: t, before: s.state()}
	proxy := s.newProxy()
	// Four deletions are under way at once: by the fifth one is done.
	held := proxy.hold(callDeleteImage, 5, answered)
	child := start(t, proxy.through("--all")...)
	await(t, "the fifth deletion", held.reached)
	s.must(child.Process.Signal(sig))
	await(t, "the end of the call", held.left)
	held.release()

	r := finish(t, child).Want(t, programs.ExitInterrupted)
	p.Document, p.after = r.Document(t), s.state()
	p.check(expected{orphans: true, changes: true})
	if !p.Interrupted || !strings.Contains(r.Stderr, "interrupted") {
		t.Errorf("interrupted: %v, stderr: %s", p.Interrupted, r.Stderr)
	}
	if len(p.Errors) > 0 {
		t.Errorf("an interruption is no error: %+v", p.Errors)
	}
	var gone []string
	for _, name := range names(p.before, "default") {
		if !slices.Contains(names(p.after, "default"), name) {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 || len(gone) >= p.Counts.Remove || !slices.Equal(gone, p.untagged()) {
		t.Errorf("gone: %q, told: %q, planned: %d", gone, p.untagged(), p.Counts.Remove)
	}
	// Another run does the rest.
	rest := s.pruneExpecting(expected{orphans: true}, "--all")
	rest.wantNames("default", "docker.io/library/used:1")
}

// A signal while the question is open changes nothing.
func TestInterruptedQuestion(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.added("docker.io/library/a:1", 1)
		s.ready()
		before := s.state()
		x := onTerminal(t, false, append(s.where(), "--all")...)
		x.await(question)
		x.press(ctrlC)
		x.end().Want(t, programs.ExitInterrupted)
		wantSame(t, before, s.state())
	})
}

// An interruption that leaves nothing undone is none: the last deletion is
// made, its answer is still out when the signal comes.
func TestInterruptedWhenAllIsDone(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		going := s.several()
		s.ready()
		proxy := s.newProxy()
		held := proxy.hold(callDeleteImage, len(going), true)
		child := start(t, proxy.through("--all")...)
		await(t, "the last deletion", held.reached)
		s.must(child.Process.Signal(syscall.SIGINT))
		await(t, "the end of the call", held.left)
		held.release()
		r := finish(t, child).Want(t, programs.ExitDone)
		doc := r.Document(t)
		if doc.Interrupted || len(doc.Untagged) != len(going) || len(doc.Errors) > 0 || strings.Contains(r.Stderr, "again for the rest") {
			t.Errorf("interrupted %v, untagged %d of %d, errors %+v, stderr: %s", doc.Interrupted, len(doc.Untagged), len(going), doc.Errors, r.Stderr)
		}
	})
}

// An undo that takes long tells how far it is. Interrupted it finishes the record that
// it restores, says so in one sentence, and another undo does the rest.
func TestInterruptedUndo(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.several()
		s.ready()
		before := names(s.state(), "default")
		run(t, append(s.where(), "--all", "--force", "--grace", "1h")...).Want(t, programs.ExitDone)
		proxy := s.newProxy()
		held := proxy.hold(callCreateImage, 2, false)
		x := onTerminalCalled(t, "xterm", false, "undo", "--address", proxy.address)
		await(t, "the second record", held.reached)
		x.await("Restoring records: 1 of ")
		x.press(ctrlC)
		x.await("Stopping")
		held.release()
		r := x.end().Want(t, programs.ExitInterrupted)
		if strings.Count(r.Stdout, "Restored: ") != 2 || !strings.Contains(x.text(), "interrupted after 2 of ") || strings.Contains(x.text(), "not restored") {
			t.Errorf("restored:\n%s\nseen:\n%s", r.Stdout, x.text())
		}
		if left := run(t, append([]string{"runs", "-q"}, s.where()...)...).Want(t, programs.ExitDone).Stdout; strings.Count(left, "\n") != 1 {
			t.Errorf("runs: %q", left)
		}
		run(t, append([]string{"undo"}, s.where()...)...).Want(t, programs.ExitDone)
		if after := names(s.state(), "default"); !slices.Equal(after, before) {
			t.Errorf("after all there are %q, and there were %q", after, before)
		}
	})
}

// Dropping a run cannot be taken back once the lease is deleted: an interruption
// waits for the collection, and what was freed is told.
func TestInterruptedDrop(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.several()
		s.ready()
		run(t, append(s.where(), "--all", "--force", "--grace", "1h")...).Want(t, programs.ExitDone)
		name := strings.TrimSpace(run(t, append([]string{"runs", "-q"}, s.where()...)...).Stdout)
		proxy := s.newProxy()
		held := proxy.hold(callDeleteLease, 1, true)
		x := onTerminalCalled(t, "xterm", false, "runs", "drop", "--force", "--address", proxy.address, name)
		await(t, "the collection", held.reached)
		x.await("Collecting garbage")
		x.press(ctrlC)
		x.await("Stopping")
		held.release()
		r := x.end().Want(t, programs.ExitDone)
		if !strings.Contains(r.Stdout, "Total reclaimed space: ") || strings.Contains(r.Stdout, "space: 0B") {
			t.Errorf("told:\n%s", r.Stdout)
		}
		if left := run(t, append([]string{"runs", "-q"}, s.where()...)...).Stdout; left != "" {
			t.Errorf("runs: %q", left)
		}
	})
}
