package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

var stallSizes = flag.String("stall", "20", "have others work while stores of these `NUMBERS` of images are pruned")

// idle is how long others work while nothing else happens.
const idle = 3 * time.Second

// pruner is something in whose time others work.
type pruner struct {
	name string
	run  func(s *stallStore) error
}

// pruners are those that are compared. `ctr` and the least that a client has to do
// make one collection, or one for each image.
var pruners = []pruner{
	{"nothing", func(*stallStore) error { time.Sleep(idle); return nil }},
	{"one empty collection", func(s *stallStore) error { return s.store.Collect(s.t.Context()) }},
	{"`ctr-prune -a -f`", func(s *stallStore) error { return s.command(s.p.prune, "--address", s.d.Address(), "-a", "-f", "-q") }},
	{"`ctr-prune -a -f --max-stall 0`", func(s *stallStore) error {
		return s.command(s.p.prune, "--address", s.d.Address(), "-a", "-f", "-q", "--max-stall", "0")
	}},
	{"plain deletions, the last one synchronous", func(s *stallStore) error { return s.command(s.p.helper, "floor", s.d.Address()) }},
	{"`ctr images prune --all`", func(s *stallStore) error {
		return s.command(s.d.Ctr(), "-a", s.d.Address(), "images", "prune", "--all")
	}},
}

// TestStall shows what others wait for while a store is pruned.
func TestStall(t *testing.T) {
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	p := build(t)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n| images | beside | rounds | whole | container: p50 | p99 | worst | small blob: p99 | worst | read: worst | failed |\n", machine.Describe())
	b.WriteString("|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, n := range numbers(t, *stallSizes) {
		s := newStallStore(t, p, n)
		all := make([]load, len(pruners))
		for round := range *rounds {
			for i := range pruners {
				at := (i + round) % len(pruners)
				t.Run(fmt.Sprintf("%d/round%d/%d", n, round+1, at), func(t *testing.T) { all[at].add(s.beside(t, pruners[at])) })
			}
		}
		for i, l := range all {
			b.WriteString(l.row(n, pruners[i].name))
		}
	}
	t.Logf("\n%s", b.String())
	if *out == "" || t.Failed() {
		return
	}
	if err := os.WriteFile(*out, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// stallStore is a store of unused images and one that a container stands on, on
// which others create theirs.
type stallStore struct {
	t     *testing.T
	p     programs
	d     *daemon.Daemon
	store imagestore.Store
	base  *imagestore.Image
}

func newStallStore(t *testing.T, p programs, images int) *stallStore {
	t.Helper()
	s := &stallStore{t: t, p: p}
	s.d = daemon.Start(t, daemon.Options{Version: parts.Containerd24, Dir: *dir})
	s.d.Stop()
	s.d.Offline(func(e *imagestore.Embedded) error {
		make := imagestore.New(uint64(images))
		s.base = make.Image(imagestore.Spec{Name: "docker.io/library/base:1", Layers: 3})
		store := e.Store("default")
		if err := store.Add(t.Context(), s.base); err != nil {
			return err
		}
		if err := store.Container(t.Context(), imagestore.ContainerSpec{ID: "standing", Image: s.base.Name, Of: s.base}); err != nil {
			return err
		}
		_, err := store.Bulk(t.Context(), make, images)
		return err
	})
	return s
}

// beside works on a copy of the store as long as the pruner runs.
func (s *stallStore) beside(t *testing.T, p pruner) load {
	t.Helper()
	copied := &stallStore{t: t, p: s.p, d: copied(t, s.d), base: s.base}
	copied.d.Restart()
	copied.store = copied.d.Store("default")
	unix.Sync()
	l := load{}
	ctx, stop := context.WithCancel(t.Context())
	ended := copied.work(ctx, &l)
	start := time.Now()
	err := p.run(copied)
	l.wholes = []time.Duration{time.Since(start)}
	stop()
	<-ended
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (s *stallStore) command(program string, args ...string) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Minute)
	defer cancel()
	if text, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", program, args, err, text)
	}
	return nil
}

// load is what others had to wait for.
type load struct {
	wholes                   []time.Duration
	containers, blobs, reads []time.Duration
	failures                 int
}

func (l *load) add(other load) {
	l.wholes = append(l.wholes, other.wholes...)
	l.containers = append(l.containers, other.containers...)
	l.blobs, l.reads = append(l.blobs, other.blobs...), append(l.reads, other.reads...)
	l.failures += other.failures
}

func (l *load) row(images int, name string) string {
	return fmt.Sprintf("| %d | %s | %d | %s | %s | %s | %s | %s | %s | %s | %d |\n", images, name, len(l.wholes), seconds(median(l.wholes)),
		millis(percentile(l.containers, 50)), millis(percentile(l.containers, 99)), millis(percentile(l.containers, 100)),
		millis(percentile(l.blobs, 99)), millis(percentile(l.blobs, 100)), millis(percentile(l.reads, 100)), l.failures)
}

// percentile is the time within which so many percent were done.
func percentile(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)*percent/100]
}
