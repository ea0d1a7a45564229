package bench

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

var combined = flag.Int("combined", 0, "weigh looking at a store of so many `NAMESPACES`, each with 200 images, 50 containers and 10,000 blobs")

// crowd is what a namespace has.
type crowd struct{ images, containers, blobs int }

var (
	largeCrowd = crowd{200, 50, 10_000}
	smallCrowd = crowd{20, 5, 300}
)

// The goals for a dry run of the largest store.
const (
	crowdTime   = time.Minute
	crowdMemory = 2 << 30
)

// TestCombined looks at a store that has many of everything at once.
func TestCombined(t *testing.T) {
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	n, c := *combined, largeCrowd
	if n == 0 {
		if *out != "" {
			t.Skip("not asked for")
		}
		n, c = 2, smallCrowd // only whether it works is of interest
	}
	d := daemon.Start(t, daemon.Options{Version: parts.Containerd24, Dir: *dir})
	d.Stop()
	for i := range n {
		if err := c.fill(t, d, i); err != nil {
			t.Fatal(err)
		}
	}
	d.Up()
	p := build(t)
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d namespaces, each with %d images, %d containers and %d blobs:\n\n| | time | own CPU | peak memory | |\n|---|---:|---:|---:|---|\n", n, c.images, c.containers, c.blobs)
	for _, look := range looks {
		args := look.args
		if look.name == dryRun {
			args = append([]string{"--all-namespaces"}, args...)
		}
		w := p.weigh(t, append([]string{p.prune, "--address", d.Address()}, args...)...)
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", look.name, seconds(w.Wall), seconds(w.CPU), mib(w.RSS), w.judged(look.name))
	}
	t.Logf("%s\n%s", machine.Describe(), b.String())
	if *out != "" {
		appendTo(t, *out, b.String())
	}
}

// judged says of a dry run whether the goals were met.
func (w weight) judged(name string) string {
	switch {
	case name != dryRun:
		return ""
	case w.Wall <= crowdTime && w.RSS <= crowdMemory:
		return "met: 60 s and 2 GiB"
	default:
		return "missed: 60 s and 2 GiB"
	}
}

// fill adds a namespace. The images that containers use are among the others.
func (c crowd) fill(t *testing.T, d *daemon.Daemon, i int) error {
	t.Helper()
	ns := fmt.Sprintf("space-%03d", i)
	if err := imagestore.Many(t.Context(), d.Root(), ns, i*c.images, c.images); err != nil {
		return err
	}
	d.Offline(func(e *imagestore.Embedded) error {
		for j := range c.containers {
			if err := addContainerTo(t.Context(), e, ns, fmt.Sprintf("many.example/team/app-%06d:1.0", i*c.images+2*j), j); err != nil {
				return fmt.Errorf("container %d of namespace %q: %w", j, ns, err)
			}
		}
		for left, j := c.blobs-blobs(c.images), 0; left > 0; left, j = left-100, j+1 {
			if err := addTreeTo(e, ns, i*c.blobs+j); err != nil {
				return fmt.Errorf("blobs of namespace %q: %w", ns, err)
			}
		}
		return nil
	})
	return nil
}
