package behaviour_test

import (
	"fmt"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// through are the flags of a run of the command by way of a proxy.
func (p *proxy) through(args ...string) []string {
	return append([]string{"--address", p.address, "--force", "--format", "json"}, args...)
}

// several adds images of which some share layers, one is in use and two, the
// last ones, are held by a build history. It returns those that go.
func (s *subject) several() (going []*imagestore.Image) {
	s.t.Helper()
	base := s.added("docker.io/library/base:1", 2)
	going = append(going, base)
	for i := range 6 {
		img := s.on(base, fmt.Sprintf("docker.io/library/app-%d:1", i))
		s.add(img)
		going = append(going, img)
	}
	used := s.on(base, "docker.io/library/used:1")
	s.add(used)
	s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: used.Name, Of: used}))
	for _, name := range []string{"built", "rebuilt"} {
		img := s.added("docker.io/library/"+name+":1", 1)
		s.must(s.HistoryLease(s.ctx(), name, img))
		going = append(going, img)
	}
	return going
}

// Of two runs at once the second one ends with a name for the first, and
// changes nothing.
func TestTwoRunsAtOnce(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.several()
		s.ready()
		proxy := s.newProxy()
		held := proxy.hold(callDeleteImage, 1, false)
		p := pruned{t: t, before: s.state()}
		first := start(t, proxy.through("--all")...)
		await(t, "the first deletion", held.reached)

		during := s.state()
		second := run(t, append(s.where(), "--all", "--force")...)
		wantSentence(t, second, programs.ExitBusy, fmt.Sprintf("process %d", first.Process.Pid))
		wantSame(t, during, s.state())

		held.release()
		p.Document = finish(t, first).Want(t, programs.ExitDone).Document(t)
		p.after = s.state()
		p.check(expected{orphans: true})
		p.wantNames("default", "docker.io/library/used:1")
	})
}

// A run on a root that another run has open waits for no more than a moment.
func TestTwoRunsAtOnceOnARoot(t *testing.T) {
	onStopped(t, func(t *testing.T, s *subject) {
		s.added("docker.io/library/a:1", 1)
		s.ready()
		first := onTerminal(t, false, append(s.where(), "--all", "--format", "json")...)
		first.await(question)
		wantSentence(t, run(t, append(s.where(), "--all", "--force")...), programs.ExitUnreachable, "in use by")
		first.answer("y")
		first.end().Want(t, programs.ExitDone)
		if left := names(s.state(), "default"); len(left) > 0 {
			t.Errorf("records left: %q", left)
		}
	})
}
