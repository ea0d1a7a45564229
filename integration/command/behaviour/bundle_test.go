package behaviour_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// The names of a bundle as `ctr images import --index-name` makes them: the
// further ones live only while the first one does.
const (
	bundleBase = "bundle.example/base:1"
	bundleApp1 = "registry.example/app-1:v1"
	bundleApp2 = "registry.example/app-2:v1"
)

// bundle adds one, with other images than its own so that each weighs
// something by itself.
func (s *subject) bundle() (apps []*imagestore.Image) {
	s.t.Helper()
	s.added(bundleBase, 1)
	for _, name := range []string{bundleApp1, bundleApp2} {
		apps = append(apps, s.added(name, 2))
		s.must(s.Label(s.ctx(), name, map[string]string{
			"containerd.io/gc.expire":     time.Now().Add(-time.Second).Format(time.RFC3339),
			"containerd.io/gc.bref.image": bundleBase,
		}))
	}
	return apps
}

// old says whether the server is one to which the labels of a bundle mean
// nothing.
func (s *subject) old() bool { return s.daemon.Version() == daemon.Versions()[1] }

// wantRecords fails the test unless these are the records left, also after one
// more collection by the daemon.
func (s *subject) wantRecords(want ...string) {
	s.t.Helper()
	s.up()
	s.must(s.Collect(s.ctx()))
	slices.Sort(want)
	if got := names(s.state(), "default"); !slices.Equal(got, want) {
		s.t.Errorf("records left: %q, want %q", got, want)
	}
}

// onBundles runs a test on every store that can have a bundle.
func onBundles(t *testing.T, test func(t *testing.T, s *subject)) {
	everywhere(t, func(t *testing.T, s *subject) {
		if s.stopped && s.old() { // TestExpiryInAnOldRoot
			return
		}
		test(t, s)
	})
}

func TestBundleWithAPin(t *testing.T) {
	onBundles(t, func(t *testing.T, s *subject) {
		apps := s.bundle()
		s.must(s.Label(s.ctx(), bundleApp1, map[string]string{"ctr-prune/keep": "yes"}))
		p := s.prune("--all")
		wantWhole(t, p.after.Files, apps[0])
		p.wantBlobsGone(apps[1])
		if s.old() {
			s.wantRecords(bundleApp1)
		} else {
			s.wantRecords(bundleApp1, bundleBase)
		}
	})
}

// Filters only narrow what goes: here one chooses the base alone.
func TestBundleWithAFilter(t *testing.T) {
	onBundles(t, func(t *testing.T, s *subject) {
		apps := s.bundle()
		p := s.prune("--all", "--filter", "reference=bundle.example/*")
		for _, app := range apps {
			wantWhole(t, p.after.Files, app)
		}
		if s.old() {
			s.wantRecords(bundleApp1, bundleApp2)
		} else {
			s.wantRecords(bundleApp1, bundleApp2, bundleBase)
		}
	})
}

func TestBundleInUse(t *testing.T) {
	onBundles(t, func(t *testing.T, s *subject) {
		apps := s.bundle()
		s.must(s.Container(s.ctx(), imagestore.ContainerSpec{ID: "c", Image: bundleApp2, Of: apps[1]}))
		p := s.prune("--all", "--filter", "reference!=nothing")
		wantWhole(t, p.after.Files, apps[1])
		if s.old() {
			s.wantRecords(bundleApp2)
		} else {
			s.wantRecords(bundleApp2, bundleBase)
		}
	})
}

// All names come back, those too that a collection would have taken with the
// first, and stay.
func TestBundleComesBack(t *testing.T) {
	onBundles(t, func(t *testing.T, s *subject) {
		s.bundle()
		s.ready()
		doc := run(t, append(s.where(), "--all", "--force", "--grace", "1h", "--format", "json")...).Want(t, programs.ExitDone).Document(t)
		if len(doc.Untagged) != 3 {
			t.Errorf("told as untagged: %v", doc.Untagged)
		}
		s.wantRecords()
		run(t, append([]string{"undo"}, s.whereNow()...)...).Want(t, programs.ExitDone)
		s.wantRecords(bundleApp1, bundleApp2, bundleBase)
	})
}

// whereNow leads the command to the daemon where a test has started it again.
func (s *subject) whereNow() []string {
	return s.daemon.Flags(!s.daemon.Running())
}

// A name that is pinned, that has expired, and that nothing holds: any
// collection would take it, so nothing is removed, also elsewhere.
func TestExpiredAndPinned(t *testing.T) {
	onStopped(t, func(t *testing.T, s *subject) {
		if s.old() {
			return
		}
		s.bundle()
		s.must(s.Label(s.ctx(), bundleApp1, map[string]string{"ctr-prune/keep": "yes"}))
		s.must(s.daemon.Store("other").Add(s.ctx(), s.image("docker.io/library/other:1", 1)))
		s.ready()
		s.daemon.Offline(func(e *imagestore.Embedded) error { return e.Store("default").Untag(s.ctx(), bundleBase) })
		before := s.state()
		for _, args := range [][]string{{"--all", "--force"}, {"--all-namespaces", "--all", "--force"}, {"--all", "--dry-run"}} {
			r := run(t, append(s.where(), args...)...)
			if sentence := fmt.Sprintf("image %q in namespace \"default\" is to be kept", bundleApp1); r.Code != programs.ExitFailed || !strings.Contains(r.Stderr, sentence) {
				t.Errorf("%q: exit code %d, and on stderr: %s", args, r.Code, r.Stderr)
			}
			wantSame(t, before, s.state())
		}
	})
}

// A containerd before 2.0 does not heed the expiry of records, and the
// collector in the command would.
func TestExpiryInAnOldRoot(t *testing.T) {
	onStopped(t, func(t *testing.T, s *subject) {
		s.bundle()
		s.ready()
		before := s.state()
		r := run(t, append(s.where(), "--all", "--force")...)
		if !s.old() {
			r.Want(t, programs.ExitDone)
			return
		}
		wantSentence(t, r, programs.ExitUnreachable, "containerd.io/gc.expire")
		wantSame(t, before, s.state())
		s.up()
		s.wantRecords(bundleApp1, bundleApp2, bundleBase)
	})
}

// The real import of 2.4 makes such names.
func TestImportWithAnIndexName(t *testing.T) {
	t.Parallel()
	s := newSubject(t, parts.Containerd24, false)
	paths, err := parts.Ensure(s.ctx(), parts.Containerd24)
	s.must(err)
	archive := filepath.Join(t.TempDir(), "bundle.tar")
	f, err := os.Create(archive)
	s.must(err)
	s.must(s.image("x", 2).Archive(f, bundleApp1, bundleApp2), f.Close())
	ctr := exec.CommandContext(s.ctx(), paths.Bin(parts.Containerd24, "ctr"), "--address", s.daemon.Address(),
		"images", "import", "--index-name", bundleBase, archive)
	if out, err := ctr.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.wantRecords(bundleApp1, bundleApp2, bundleBase)
	s.must(s.Label(s.ctx(), bundleApp1, map[string]string{"ctr-prune/keep": "yes"}))
	p := s.prune("--all")
	if !slices.Contains(names(p.after, "default"), bundleApp1) {
		t.Errorf("the pinned name is gone; left: %q", names(p.after, "default"))
	}
	wantTold(t, p)
}

// wantTold fails the test if a record is gone that the report does not tell of.
func wantTold(t *testing.T, p pruned) {
	t.Helper()
	told := fmt.Sprint(p.untagged())
	after := names(p.after, "default")
	for _, name := range names(p.before, "default") {
		if !slices.Contains(after, name) && !contains([]string{told}, name) {
			t.Errorf("%q is gone, and only this is told: %s", name, told)
		}
	}
}
