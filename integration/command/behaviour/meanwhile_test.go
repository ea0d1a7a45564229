package behaviour_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// pruneMeanwhile runs the command on a terminal, does something while it waits
// for an answer, and says yes.
func (s *subject) pruneMeanwhile(meanwhile func(), args ...string) pruned {
	s.t.Helper()
	s.ready()
	x := onTerminal(s.t, false, slices.Concat(s.where(), []string{"--format", "json"}, args)...)
	x.await(question)
	meanwhile()
	p := pruned{t: s.t, before: s.state()}
	x.answer("y")
	p.Document = x.end().Want(s.t, programs.ExitDone).Document(s.t)
	p.after = s.state()
	p.check(expected{changes: true})
	return p
}

// wantSkipped fails the test unless just this record was left alone, for a
// reason that contains a text.
func (p pruned) wantSkipped(name, because string) {
	p.t.Helper()
	if len(p.Skipped) != 1 || p.Skipped[0].Name != name || !strings.Contains(p.Skipped[0].Reason, because) {
		p.t.Errorf("skipped %+v, want %q because %q", p.Skipped, name, because)
	}
}

// A record that moved to another image since the plan is not deleted.
func TestRecordMovedBeforeTheAnswer(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.added("docker.io/library/moving:1", 2)
		gone := s.added("docker.io/library/gone:1", 1)
		p := s.pruneMeanwhile(func() {
			// The image that it was has another name by now: without one
			// containerd would collect it at a moment of its own.
			s.must(s.Tag(s.ctx(), "docker.io/library/moving:1", "docker.io/library/old:1"))
			s.added("docker.io/library/moving:1", 2)
		}, "--all")
		p.wantNames("default", "docker.io/library/moving:1", "docker.io/library/old:1")
		p.wantSkipped("docker.io/library/moving:1", "moved to another image")
		p.wantBlobsGone(gone)
	})
}

// So it is when it moves at the last moment, between two deletions.
func TestRecordMovedDuringTheRun(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		for _, n := range []string{"a:1", "b:1", "c:1", "d:1", "e:1", "f:1"} {
			s.added("docker.io/library/"+n, 1)
		}
		target := s.added("docker.io/library/target:1", 1)
		s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: target.Name, Of: target}))
		s.ready()
		store := s.daemon.Open()
		defer store.Close()
		plan := planned(t, store)
		var once sync.Once
		moved := hooked{Store: store, deleted: func(context.Context) {
			// Of four deletions at once this is after the first: the last two
			// are yet to come.
			once.Do(func() { s.must(s.Tag(s.ctx(), target.Name, "docker.io/library/f:1")) })
		}}
		p := s.execute(plan, moved, expected{changes: true})
		p.wantNames("default", target.Name, "docker.io/library/f:1")
		p.wantSkipped("docker.io/library/f:1", "moved to another image")
	})
}

// A container that is created between the plan and the answer keeps its image.
func TestContainerCreatedBeforeTheAnswer(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		used, gone := s.added("docker.io/library/used:1", 2), s.added("docker.io/library/gone:1", 1)
		p := s.pruneMeanwhile(func() {
			s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "late", Image: used.Name, Of: used}))
		}, "--all")
		p.wantNames("default", used.Name)
		p.wantSkipped(used.Name, "container late")
		p.wantBlobsGone(gone)
	})
}

// One that is created after the deletions gets its image back, labels and all:
// at whichever step it appears, by a name or by its snapshot alone.
func TestContainerCreatedAfterTheDeletions(t *testing.T) {
	steps := map[string]func(store prune.Store, once func()) hooked{
		"right after a deletion": func(store prune.Store, once func()) hooked {
			return hooked{Store: store, deleted: func(context.Context) { once() }}
		},
		"while the run looks again": func(store prune.Store, once func()) hooked {
			// The run lists the containers twice before it deletes, and then to
			// see what has appeared.
			calls := 0
			return hooked{Store: store, listing: func(context.Context) {
				if calls++; calls > 2 {
					once()
				}
			}}
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			onDaemons(t, func(t *testing.T, s *subject) { s.testLateContainer(step) })
		})
	}
}

func (s *subject) testLateContainer(step func(prune.Store, func()) hooked) {
	t := s.t
	labels := map[string]string{"team": "a", "io.example/keep-me": "yes"}
	used, gone := s.added("docker.io/library/used:1", 2), s.added("docker.io/library/gone:1", 1)
	s.must(s.Label(s.ctx(), used.Name, labels), s.Label(s.ctx(), gone.Name, labels))
	s.ready()
	store := s.daemon.Open()
	defer store.Close()
	plan := planned(t, store)

	var once sync.Once
	p := s.execute(plan, step(store, func() {
		once.Do(func() {
			s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "late", Image: used.Name, Of: used}))
		})
	}), expected{changes: true})
	p.wantNames("default", used.Name)
	if diff := cmp.Diff(labels, p.after.Namespaces["default"].Images[used.Name].Labels); diff != "" {
		t.Errorf("labels of the record that came back (-want +got):\n%s", diff)
	}
	if len(p.Restored) != 1 || p.Restored[0].Name != used.Name || !strings.Contains(p.Restored[0].Reason, "container late") {
		t.Errorf("restored: %+v", p.Restored)
	}
	p.wantBlobsGone(gone)
}

// wantBlobsGone fails the test if a blob of the images is still on the disk.
func (p pruned) wantBlobsGone(images ...*imagestore.Image) {
	p.t.Helper()
	for _, img := range images {
		for _, d := range img.Digests() {
			if _, left := p.after.Files[d]; left {
				p.t.Errorf("blob %s of %s is still there", d, img.Name)
			}
		}
	}
}

// Whoever says no, or nothing, changes nothing.
func TestAnswers(t *testing.T) {
	everywhere(t, func(t *testing.T, s *subject) {
		s.added("docker.io/library/a:1", 1)
		s.ready()
		before := s.state()
		for _, answer := range []string{"n\n", "\n", "no\n", "yolo\n", ctrlD} {
			x := onTerminal(t, false, append(s.where(), "--all")...)
			x.await(question)
			x.press(answer)
			r := x.end().Want(t, programs.ExitDone)
			if !strings.Contains(r.Stdout+r.Stderr, "Nothing was removed.") {
				t.Errorf("answer %q: %q", answer, r.Stdout+r.Stderr)
			}
		}
		wantSame(t, before, s.state())
	})
}
