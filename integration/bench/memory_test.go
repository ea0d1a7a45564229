package bench

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

var manyBlobs = flag.String("blobs", "1000", "weigh looking at stores of about these `NUMBERS` of blobs")

// mostBytes is what a blob may add to the peak of a process that looks at a large
// store, and fewBlobs the number from which that is more than chance.
const (
	mostBytes = 2000
	fewBlobs  = 20_000
)

const dryRun = "`-a --dry-run`"

// looks are the commands that only look.
var looks = []struct {
	name string
	args []string
}{
	{dryRun, []string{"-a", "--dry-run"}},
	{"`df`", []string{"df"}},
}

// TestMemory weighs what looking at a store takes for each blob, its share of the
// images and snapshots included, beyond what looking at a small one does.
func TestMemory(t *testing.T) {
	if reason := daemon.Unsupported(); reason != "" {
		t.Skip(reason)
	}
	p := build(t)
	least := p.look(t, 100)
	var b strings.Builder
	b.WriteString("| blobs | | time | own CPU | peak memory | bytes a blob |\n|---:|---|---:|---:|---:|---:|\n")
	for _, n := range numbers(t, *manyBlobs) {
		images := n * 10 / blobs(10)
		for i, w := range p.look(t, images) {
			each := (w.RSS - least[i].RSS) / int64(blobs(images))
			fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %d |\n", blobs(images), looks[i].name, seconds(w.Wall), seconds(w.CPU), mib(w.RSS), each)
			if n >= fewBlobs && each > mostBytes {
				t.Errorf("%s takes %d bytes for each of %d blobs, more than %d", looks[i].name, each, blobs(images), mostBytes)
			}
		}
	}
	t.Logf("%s\n\n%s", machine.Describe(), b.String())
	if *out == "" {
		return
	}
	if err := os.WriteFile(*out, []byte(machine.Describe()+"\n\n"+b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// look weighs all that only looks, at a store of its own.
func (p programs) look(t *testing.T, images int) (all []weight) {
	t.Helper()
	d := daemon.Start(t, daemon.Options{Version: parts.Containerd24, Dir: *dir})
	d.Stop()
	if err := imagestore.Many(t.Context(), d.Root(), "default", 0, images); err != nil {
		t.Fatal(err)
	}
	d.Up()
	if images <= 1000 {
		if n := len(d.Capture().Namespaces["default"].Content); n != blobs(images) {
			t.Fatalf("%d blobs of %d images", n, images)
		}
	}
	for _, look := range looks {
		all = append(all, p.weigh(t, append([]string{p.prune, "--address", d.Address()}, look.args...)...))
	}
	d.Stop() // its memory is needed for the next
	return all
}
