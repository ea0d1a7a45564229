package behaviour_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

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
	child := start(t, proxy.through("--all")...)
	await(t, "the step", held.reached)
	s.must(child.Process.Kill())
	if r := finish(t, child); r.Code != -1 {
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

	p := s.recover(child.Process.Pid, before)
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
func (s *subject) recover(child int, before *oracle.State) pruned {
	s.t.Helper()
	p := pruned{t: s.t, before: s.state()}
	for name, ns := range p.before.Namespaces {
		ns.Images = before.Namespaces[name].Images
	}
	r := run(s.t, append(s.where(), "--force", "--format", "json", "--all")...)
	p.Document, p.after = r.Want(s.t, programs.ExitDone).Document(s.t), s.state()
	if len(p.Recovered) != 1 || !strings.Contains(p.Recovered[0].Owner, fmt.Sprintf("process %d", child)) {
		s.t.Errorf("recovered: %+v, want the run of process %d", p.Recovered, child)
	}
	p.check(expected{orphans: true, changes: true, recovers: true, leases: []string{"ctr-prune"}})
	return p
}

// The next run tells a person, too.
func TestKilledRunInText(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		going := s.several()
		s.ready()
		proxy := s.newProxy()
		held := proxy.hold(callDeleteLease, 1, false)
		child := start(t, proxy.through("--all")...)
		await(t, "the last step", held.reached)
		s.must(child.Process.Kill())
		finish(t, child)
		r := run(t, append(s.where(), "--force", "--all")...).Want(t, programs.ExitDone)
		for _, text := range []string{
			fmt.Sprintf("Finished the interrupted run of process %d", child.Process.Pid), "9 image records removed",
			"Deleted: " + going[1].Target.Digest.String(),
		} {
			if !strings.Contains(r.Stdout, text) {
				t.Errorf("not told: %q in:\n%s", text, r.Stdout)
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
				child := s.killChild()
				rebuilt := going[len(going)-1]
				wantNothingLost(t, before, s.state(), rebuilt)
				if next == "daemon" {
					s.stopped = false
					s.up()
					s.must(s.Collect(s.ctx()))
					wantNothingLost(t, before, s.state(), rebuilt)
				}
				p := s.recover(child, before)
				p.wantNames("default", "docker.io/library/used:1")
				p.wantOwnBlobsGone(going[1], going[0])
			})
		})
	}
}
