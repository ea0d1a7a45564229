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
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
	"github.com/ctr-prune/ctr-prune/prune"
)

var stallSizes = flag.String("stall", "20", "have others work while stores of these `NUMBERS` of images are pruned")

var largeStall = flag.Int("large", 40, "prune a store, too, in which this `NUMBER` of images stay")

// largeRemoved is how many images are removed from that.
const largeRemoved = 200

// idle is how long others work while nothing else happens, if that is measured.
const idle = 3 * time.Second

// TestStall shows what others wait for while a store is pruned.
func TestStall(t *testing.T) {
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	if *dir == "" && *out == "" {
		*dir = daemon.InMemory() // only whether it works is of interest
	}
	p := build(t)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s", machine.Describe(), stallHead)
	goals := ""
	for _, n := range numbers(t, *stallSizes) {
		rows := make(map[string]load)
		for _, w := range stallWorlds {
			t.Run(fmt.Sprintf("%d/%s", n, w.namespace), func(t *testing.T) { b.WriteString(w.compare(t, p, n, rows)) })
		}
		goals += stallGoals(n, rows)
	}
	if kept := *largeStall; kept > 0 {
		rows := make(map[string]load)
		t.Run("large", func(t *testing.T) {
			fmt.Fprintf(&b, "\nOf a store in which %d more images stay:\n\n%s%s", kept, stallHead, largeWorld(kept).compare(t, p, largeRemoved, rows))
		})
		goals += largeGoals(kept, rows)
	}
	text := b.String() + "\n" + goals
	t.Logf("\n%s", text)
	if *out == "" || t.Failed() {
		return
	}
	if err := os.WriteFile(*out, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// compare has others work beside each of the pruners, in another order in each
// round, and returns the rows of the table.
func (w stallWorld) compare(t *testing.T, p programs, images int, rows map[string]load) (table string) {
	s := newStallStore(t, p, w, images)
	for round := range *rounds {
		for i := range w.pruners {
			one := w.pruners[(i+round)%len(w.pruners)]
			t.Run(fmt.Sprintf("round%d/%d", round+1, i), func(t *testing.T) {
				l := rows[one.name]
				l.add(s.beside(t, one))
				rows[one.name] = l
			})
		}
	}
	for _, one := range w.pruners {
		table += rows[one.name].row(images, one.name)
	}
	return table
}

// stallStore is a store of unused images and one that a container stands on, on
// which others create theirs.
type stallStore struct {
	t     *testing.T
	p     programs
	d     *daemon.Daemon
	store imagestore.Store
	base  *imagestore.Image
	// host is that of the registry that others pull from.
	host string
}

func newStallStore(t *testing.T, p programs, w stallWorld, images int) *stallStore {
	t.Helper()
	s := &stallStore{t: t, p: p}
	opts := w.options(t)
	opts.Dir = *dir
	s.d = daemon.Start(t, opts)
	if w.namespace == docker.Namespace {
		s.d.Expect(prune.ProblemUnreadable) // the Engine runs on the copies only
	}
	s.pullable(t)
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
		if w.namespace == cri.Namespace {
			if err := e.Store(w.namespace).Add(t.Context(), cri.Pause(t, imagestore.New(7)), cri.PauseName); err != nil {
				return err
			}
		}
		_, err := e.Store(w.namespace).Bulk(t.Context(), make, images)
		return err
	})
	if w.kept > 0 {
		if err := imagestore.Many(t.Context(), s.d.Root(), "kept", 0, w.kept); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// beside works on a copy of the store as long as the pruner runs.
func (s *stallStore) beside(t *testing.T, p pruner) load {
	t.Helper()
	copied := &stallStore{t: t, p: s.p, d: copied(t, s.d), base: s.base, host: s.host}
	copied.d.Restart()
	copied.store = copied.d.Store("default")
	run := p.prepare(t, copied)
	unix.Sync()
	l := load{}
	ctx, stop := context.WithCancel(t.Context())
	ended := copied.work(ctx, &l)
	start := time.Now()
	err := run()
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
	wholes                          []time.Duration
	containers, blobs, reads, pulls []time.Duration
	failures                        int
}

func (l *load) add(other load) {
	l.wholes = append(l.wholes, other.wholes...)
	l.containers = append(l.containers, other.containers...)
	l.blobs, l.reads = append(l.blobs, other.blobs...), append(l.reads, other.reads...)
	l.pulls = append(l.pulls, other.pulls...)
	l.failures += other.failures
}

const stallHead = "| images | beside | rounds | whole | container: p50 | p99 | worst | small blob: p99 | worst | read: worst | pull: p50 | worst | failed |\n" +
	"|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"

func (l load) row(images int, name string) string {
	return fmt.Sprintf("| %d | %s | %d | %s | %s | %s | %s | %s | %s | %s | %s | %s | %d |\n", images, name, len(l.wholes), seconds(median(l.wholes)),
		millis(percentile(l.containers, 50)), millis(percentile(l.containers, 99)), millis(percentile(l.containers, 100)),
		millis(percentile(l.blobs, 99)), millis(percentile(l.blobs, 100)), millis(percentile(l.reads, 100)),
		millis(percentile(l.pulls, 50)), millis(percentile(l.pulls, 100)), l.failures)
}

// percentile is the time within which so many percent were done.
func percentile(all []time.Duration, percent int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)*percent/100]
}
