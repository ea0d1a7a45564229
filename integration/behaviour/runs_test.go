package behaviour_test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
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
		second.wantSentence(t, exitBusy, fmt.Sprintf("process %d", first.Process.Pid))
		wantSame(t, during, s.state())

		held.release()
		p.Document = finish(t, first).want(t, exitDone).document(t)
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
		run(t, append(s.where(), "--all", "--force")...).wantSentence(t, exitUnreachable, "in use by")
		first.answer("y")
		first.end().want(t, exitDone)
		if left := names(s.state(), "default"); len(left) > 0 {
			t.Errorf("records left: %q", left)
		}
	})
}

// A run that is killed, at whatever step, has lost nothing: every blob and
// snapshot is there, held by its lease, until the next run has put back what
// is needed and collects the rest.
func TestKilledRuns(t *testing.T) {
	for _, step := range []struct {
		name     string
		method   string
		n        int
		answered bool
	}{
		{"before the first deletion", callDeleteImage, 1, false},
		{"in the midst of deletions", callDeleteImage, 5, true},
		{"after the deletions", callUpdateBlob, 1, false},
		{"after the labels were taken", callDeleteLease, 1, false},
	} {
		t.Run(step.name, func(t *testing.T) {
			onDaemons(t, func(t *testing.T, s *subject) {
				proxy := s.newProxy()
				s.testKilledRun(proxy, proxy.hold(step.method, step.n, step.answered))
			})
		})
	}
}

func (s *subject) testKilledRun(proxy *proxy, held *hold) {
	t := s.t
	going := s.several()
	s.ready()
	before := s.state()
	victim := start(t, proxy.through("--all")...)
	await(t, "the step", held.reached)
	s.must(victim.Process.Kill())
	if r := finish(t, victim); r.code != -1 {
		t.Fatalf("the run ended by itself: %+v", r)
	}
	await(t, "the end of the call", held.left)
	held.release()

	// One of the images that went is in use before the next run.
	late, rebuilt := going[len(going)-2], going[len(going)-1]
	spec := imagestore.ContainerSpec{ID: "late", Image: late.Name, Of: late}
	if held.method == callDeleteLease {
		spec.Of = nil // a collection may have taken its snapshots already
	}
	s.must(s.Container(s.ctx(), spec))
	// Whatever collects garbage before the next run takes nothing.
	s.must(s.Collect(s.ctx()))
	wantNothingLost(t, before, s.state(), late, rebuilt)

	p := s.recover(victim.Process.Pid, before)
	p.wantNames("default", "docker.io/library/used:1", late.Name)
	p.wantOwnBlobsGone(going[1], going[0])
	// What the killed run took from the config of the image is back as well.
	label := "containerd.io/gc.ref.snapshot." + s.Snapshotter
	if p.after.Namespaces["default"].Content[late.Config.Desc.Digest].Labels[label] == "" {
		t.Error("the config of the image that came back holds no snapshots any more")
	}
}

// wantOwnBlobsGone fails the test if a blob that only the image has, and not
// the one it stands on, is still on the disk.
func (p pruned) wantOwnBlobsGone(img, base *imagestore.Image) {
	p.t.Helper()
	for _, d := range without(img.Digests(), base.Digests()) {
		if _, left := p.after.Files[d]; left {
			p.t.Errorf("blob %s of %s is still there", d, img.Name)
		}
	}
}

// wantNothingLost fails the test if anything but records is gone, or the
// snapshots of images that only build history holds: that they go is what the
// run wants.
func wantNothingLost(t *testing.T, before, after *oracle.State, history ...*imagestore.Image) {
	t.Helper()
	var mayGo []string
	for _, img := range history {
		mayGo = append(mayGo, img.ChainIDs()...)
	}
	for name, ns := range before.Namespaces {
		now := after.Namespaces[name]
		for d := range ns.Content {
			_, known := now.Content[d]
			if _, onDisk := after.Files[d]; !known || !onDisk {
				t.Errorf("blob %s: known %v, on disk %v", d, known, onDisk)
			}
		}
		for key := range ns.Snapshots {
			if _, left := now.Snapshots[key]; !left && !slices.Contains(mayGo, key.Key) {
				t.Errorf("snapshot %s is gone", key)
			}
		}
	}
}

// recover runs the command over what a killed run left of the store, and
// checks that it names that run. What both took away is judged together.
func (s *subject) recover(victim int, before *oracle.State) pruned {
	s.t.Helper()
	p := pruned{t: s.t, before: s.state()}
	for name, ns := range p.before.Namespaces {
		ns.Images = before.Namespaces[name].Images
	}
	r := run(s.t, append(s.where(), "--force", "--format", "json", "--all")...)
	p.Document, p.after = r.want(s.t, exitDone).document(s.t), s.state()
	if len(p.Recovered) != 1 || !contains([]string{p.Recovered[0].Owner}, fmt.Sprintf("process %d", victim)) {
		s.t.Errorf("recovered: %+v, want the run of process %d", p.Recovered, victim)
	}
	p.check(expected{orphans: true, changes: true, garbage: true, leases: []string{"ctr-prune"}})
	return p
}

// The next run tells a person, too.
func TestKilledRunInText(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.several()
		s.ready()
		proxy := s.newProxy()
		held := proxy.hold(callDeleteLease, 1, false)
		victim := start(t, proxy.through("--all")...)
		await(t, "the last step", held.reached)
		s.must(victim.Process.Kill())
		finish(t, victim)
		r := run(t, append(s.where(), "--force", "--all")...).want(t, exitDone)
		for _, text := range []string{fmt.Sprintf("Finished the run of process %d", victim.Process.Pid), "9 image records gone"} {
			if !contains([]string{r.stdout}, text) {
				t.Errorf("not told: %q in:\n%s", text, r.stdout)
			}
		}
	})
}

// A run of a root that is killed after the deletions is finished by the next,
// be that one of the root or of the daemon.
func TestKilledRunOfARoot(t *testing.T) {
	for _, next := range []string{"root", "daemon"} {
		t.Run(next, func(t *testing.T) {
			onStopped(t, func(t *testing.T, s *subject) {
				going := s.several()
				s.ready()
				before := s.state()
				victim := s.killChild()
				rebuilt := going[len(going)-1]
				wantNothingLost(t, before, s.state(), rebuilt)
				if next == "daemon" {
					s.stopped = false
					s.up()
					s.must(s.Collect(s.ctx()))
					wantNothingLost(t, before, s.state(), rebuilt)
				}
				p := s.recover(victim, before)
				p.wantNames("default", "docker.io/library/used:1")
				p.wantOwnBlobsGone(going[1], going[0])
			})
		})
	}
}

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
	victim := start(t, proxy.through("--all")...)
	await(t, "the fifth deletion", held.reached)
	s.must(victim.Process.Signal(sig))
	await(t, "the end of the call", held.left)
	held.release()

	r := finish(t, victim).want(t, exitInterrupted)
	p.Document, p.after = r.document(t), s.state()
	p.check(expected{orphans: true, changes: true})
	if !p.Interrupted || !contains([]string{r.stderr}, "interrupted") {
		t.Errorf("interrupted: %v, stderr: %s", p.Interrupted, r.stderr)
	}
	var gone []string
	for _, name := range names(p.before, "default") {
		if !slices.Contains(names(p.after, "default"), name) {
			gone = append(gone, name)
		}
	}
	if len(gone) == 0 || len(gone) >= p.Counts.Remove || !slices.Equal(gone, slices.Sorted(slices.Values(p.Untagged))) {
		t.Errorf("gone: %q, told: %q, planned: %d", gone, p.Untagged, p.Counts.Remove)
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
		x.end().want(t, exitInterrupted)
		wantSame(t, before, s.state())
	})
}
