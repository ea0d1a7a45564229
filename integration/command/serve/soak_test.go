package serve

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// pace is how often something happens. What was used within twenty seconds stays, and
// is a third of the disk.
const pace = 200 * time.Millisecond

// TestSoak is run by make soak-serve: a build host with a disk that fills up, on which
// images come, are used and left, for SOAK_SERVE. After each step the oracle looks
// whether anything that a container needs is gone; in the end the resident has no more
// descriptors and threads than at the beginning, and little more memory.
func TestSoak(t *testing.T) {
	lasts, err := time.ParseDuration(os.Getenv("SOAK_SERVE"))
	if err != nil {
		t.Skip("only make soak-serve runs it: it takes as long as SOAK_SERVE says")
	}
	n := newNode(t, daemon.Options{Mount: disk(512 << 20)})
	n.must(os.WriteFile(n.config(), []byte("version: 1\nrules: [{name: all, match: {names: ['**']}, keep: {usedWithin: 20s}}]\n"+
		"disk: {high: 60%, low: 50%, check: 1s}\nserve: {every: 30s, listen: none, state: "+n.state()+"}\n"), 0o600))
	r := n.serve(n.daemon.Address(), false)
	r.await("msg=containerd answers")
	go func() { // the log may not block it
		for range r.lines {
		}
	}()
	var first usage
	tick := time.NewTicker(pace)
	defer tick.Stop()
	begin := time.Now()
	c := &churn{node: n, rand: rand.New(rand.NewPCG(1, 2)), running: make(map[string]*imagestore.Image)}
	for step := 0; time.Since(begin) < lasts; step++ {
		<-tick.C
		c.step(step)
		if step == 200 {
			first = r.usage()
			t.Logf("after %s: %v", time.Since(begin).Round(time.Second), first)
		}
		if step%200 == 199 {
			t.Logf("%d steps, %s: %v, disk %d %%", step+1, time.Since(begin).Round(time.Second), r.usage(), n.used())
		}
	}
	last := r.usage()
	t.Logf("%d images, %d containers made; %.2f %% of a core", c.images, c.containers, 100*last.cpu.Seconds()/time.Since(begin).Seconds())
	if first.files > 0 && (last.files > first.files+5 || last.threads > first.threads+10 || last.memory > first.memory+first.memory/2+(16<<20)) {
		t.Errorf("it grew from %v to %v", first, last)
	}
	r.signal(syscall.SIGTERM)
	_ = r.cmd.Wait() // the code says it
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	c.judge()
}

// churn is what the clients of a build host do.
type churn struct {
	*node
	rand    *rand.Rand
	running map[string]*imagestore.Image
	images  int
	// containers counts those that were made.
	containers int
}

// step lets an image come, perhaps with a container, or ends one.
func (c *churn) step(step int) {
	c.Helper()
	switch c.rand.IntN(3) {
	case 0:
		for id := range c.running {
			c.must(c.store.RemoveContainer(c.Context(), id))
			delete(c.running, id)
			break
		}
	default:
		c.build = imagestore.New(uint64(step))
		img := c.build.Image(imagestore.Spec{Name: fmt.Sprintf("ci.example/app-%d:%d", step%7, step), LayerBytes: 1 << 20})
		c.images++
		if err := c.store.Add(c.Context(), img); err != nil {
			c.Logf("step %d: %v", step, err) // the disk is full until the resident has relieved it
			break
		}
		if len(c.running) < 20 {
			id := fmt.Sprint("c", step)
			if err := c.store.Container(c.Context(), imagestore.ContainerSpec{ID: id, Image: img.Name, Of: img}); err != nil {
				c.Logf("step %d: %v", step, err)
				break
			}
			c.containers++
			c.running[id] = img
		}
	}
	if step%20 == 0 {
		c.judge()
	}
}

// judge fails the test if an image of a container lacks anything.
func (c *churn) judge() {
	c.Helper()
	now := c.daemon.Capture()
	ns := now.Namespaces["default"]
	for id, img := range c.running {
		if _, there := ns.Images[img.Name]; !there {
			c.Errorf("the image %s of container %s is gone", img.Name, id)
		}
		for _, d := range img.Digests() {
			if _, there := now.Files[d]; !there {
				c.Errorf("blob %s of %s is gone", d, img.Name)
			}
		}
		for _, key := range img.ChainIDs() {
			if _, there := ns.Snapshots[oracle.SnapshotKey{Snapshotter: c.daemon.Snapshotter(), Key: key}]; !there {
				c.Errorf("snapshot %s of %s is gone", key, img.Name)
			}
		}
	}
}

// usage is what a process takes.
type usage struct {
	files, threads int
	memory         int64
	cpu            time.Duration
}

func (u usage) String() string {
	return fmt.Sprintf("%d descriptors, %d threads, %d MiB, %s of CPU", u.files, u.threads, u.memory>>20, u.cpu)
}

func (r *resident) usage() (u usage) {
	r.Helper()
	dir := fmt.Sprintf("/proc/%d", r.pid())
	open, err := os.ReadDir(dir + "/fd")
	r.must(err)
	text, err := os.ReadFile(dir + "/stat")
	r.must(err)
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	number := func(field int) int64 { // as proc(5) counts
		n, err := strconv.ParseInt(fields[field-3], 10, 64)
		r.must(err)
		return n
	}
	const tick = 10 * time.Millisecond
	return usage{len(open), int(number(20)), number(24) * int64(os.Getpagesize()), time.Duration(number(14)+number(15)) * tick}
}
