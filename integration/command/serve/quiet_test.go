package serve

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// warmUp is how long a resident may take to read the store after it was started, which it
// does once an hour and after it has removed something.
const warmUp = 20 * time.Second

// TestQuiet is run by make bench-serve: what a resident takes, for QUIET_SERVE, that has
// nothing to remove while containers come and go on a node with 1,000 images, ten
// events a second. It prints and judges nothing, because machines differ.
func TestQuiet(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("QUIET_SERVE"))
	if err != nil {
		t.Skip("only make bench-serve runs it: it takes as long as QUIET_SERVE says")
	}
	n := newNode(t, daemon.Options{})
	n.daemon.Stop()
	n.must(imagestore.Many(t.Context(), n.daemon.Root(), "default", 0, 1000))
	n.daemon.Up()
	list, err := n.store.Client.ImageService().List(n.store.Context(t.Context()))
	n.must(err)
	n.must(os.WriteFile(n.config(), []byte("version: 1\nrules: [{name: all, match: {names: ['**']}, keep: {usedWithin: 30d}}]\n"+
		"disk: {high: 99%, low: 98%}\nserve: {every: 24h, listen: none, state: "+n.state()+"}\n"), 0o600))
	r := n.serve(n.daemon.Address(), false)
	r.await("msg=containerd answers")
	go func() { // the log may not block it
		for range r.lines {
		}
	}()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	containers := 0
	come := func(lasts time.Duration) (took, cpu time.Duration) {
		first, begin := r.usage(), time.Now()
		for time.Since(begin) < lasts {
			<-tick.C
			id := fmt.Sprint("c", containers)
			n.must(n.store.Container(t.Context(), imagestore.ContainerSpec{ID: id, Image: list[containers%len(list)].Name}))
			n.must(n.store.RemoveContainer(t.Context(), id))
			containers++
		}
		return time.Since(begin), r.usage().cpu - first.cpu
	}
	_, start := come(warmUp)
	containers = 0
	took, cpu := come(lasts)
	t.Logf("%d images, %.1f events a second for %s: %.2f %% of a core; before that its start took %s; %v", len(list), 2*float64(containers)/took.Seconds(),
		took.Round(time.Second), 100*cpu.Seconds()/took.Seconds(), start, r.usage())
	r.signal(syscall.SIGTERM)
	r.ends(0)
}
