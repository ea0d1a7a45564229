package model

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/moby/sys/mountinfo"
	"pgregory.net/rapid"
)

// step is something that a client, a pruner or the clock does. It returns false
// if there is nothing to do it with.
type step struct {
	name string
	do   func(*machine) bool
}

var steps = []step{
	{"pull", (*machine).pull}, {"pull, unfinished", (*machine).pullSome}, {"pull a signature", (*machine).pullSignature},
	{"import", (*machine).importImage}, {"build", (*machine).build}, {"tag", (*machine).tag}, {"leave dangling", (*machine).leaveDangling},
	{"untag", (*machine).untag}, {"pin", (*machine).pin},
	{"import a bundle", (*machine).importBundle}, {"tie", (*machine).tie}, {"untie", (*machine).untie}, {"refer", (*machine).refer},
	{"mark as a root", (*machine).markRoot}, {"hold a config", (*machine).leaseConfig},
	{"run", (*machine).run}, {"run a pod", (*machine).runPod}, {"stop", (*machine).stop},
	{"remove a container", (*machine).removeContainer}, {"forget a snapshot", (*machine).forgetSnapshot},
	{"take a lease", (*machine).takeLease}, {"drop a lease", (*machine).dropLease}, {"time passes", (*machine).wait},
	{"start an upload", (*machine).startUpload}, {"finish an upload", (*machine).finishUpload}, {"abort an upload", (*machine).abortUpload},
	{"prune", (*machine).prune}, {"prune through collections", (*machine).pruneThroughCollections},
	{"prune among clients", (*machine).pruneAmongClients}, {"apply a plan among clients", (*machine).applyAmongClients},
	{"write a plan", (*machine).writePlan}, {"apply a plan", (*machine).applyPlan}, {"plan and apply", (*machine).planAndApply}, {"apply a plan elsewhere", (*machine).applyElsewhere},
	{"prune beside a kubelet", (*machine).pruneBesideKubelet},
	{"prune with grace", (*machine).pruneWithGrace}, {"prune a stale plan", (*machine).pruneStale},
	{"interrupt a prune", (*machine).interrupt}, {"kill a prune", (*machine).kill}, {"kill a prune, rerun", (*machine).killAndRerun},
	{"fail to read", (*machine).failToRead}, {"undo", (*machine).undo}, {"drop a grace", (*machine).dropGrace},
	{"prune leases", (*machine).pruneLeases}, {"repair", (*machine).repair}, {"collect", (*machine).collect}, {"restart", (*machine).restartStore},
}

// shards run at the same time; each makes 15 stores unless -rapid.checks says
// otherwise.
const shards = 2

// TestModel is short enough for every day, and `make test` gives it a seed, so that
// its steps are the same ones each time. With SOAK=5m it goes on for so long, with
// new seeds.
func TestModel(t *testing.T) {
	b := newBed(t)
	soak, err := soakTime()
	if err != nil {
		t.Fatal(err)
	}
	end := time.Now().Add(soak)
	var round atomic.Int64
	t.Run("shards", func(t *testing.T) {
		for shard := range shards {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for once := true; once || time.Now().Before(end) && !t.Failed(); once = false {
					b.histories(t, shard, fmt.Sprint(round.Add(1)))
				}
			})
		}
	})
	t.Log(b.tally)
	for _, s := range steps {
		if b.tally.count(s.name) == 0 && !t.Failed() {
			t.Errorf("%q never happened", s.name)
		}
	}
}

// soakTime is how long the long mode lasts; zero is the short one.
func soakTime() (time.Duration, error) {
	text := os.Getenv("SOAK")
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("SOAK=%q is no duration, such as 5m: %w", text, err)
	}
	return d, nil
}

// histories makes one store after the other. With one seed for all of them the
// shards would make the same ones: each skips some draws that the one before it
// does not.
func (b *bed) histories(t *testing.T, shard int, name string) {
	t.Helper()
	parent := filepath.Join(scratch(t), name)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		for range shard {
			rapid.Uint64().Draw(rt, "of another shard")
		}
		n++
		dir := filepath.Join(parent, fmt.Sprint(n))
		defer os.RemoveAll(dir)
		inBubble(t, func() { b.history(rt, dir) })
	})
}

// history is the life of one store.
func (b *bed) history(t *rapid.T, dir string) {
	mounts := mounted(t, dir)
	m := newMachine(t, b, dir)
	defer func() { m.must(m.store.Close()) }()
	m.tally.add("stores", 1)
	t.Repeat(map[string]func(*rapid.T){
		"": func(*rapid.T) { m.check() },
		// One action, so that each kind of step is as likely as the others.
		"step": func(*rapid.T) { m.step() },
	})
	m.end()
	if now := mounted(t, dir); now != mounts {
		m.errorf("I13: %d mounts, before %d", now, mounts)
	}
}

// step does a random step, or, where there is nothing to do it with, another.
func (m *machine) step() {
	for tries := 0; ; tries++ {
		s := pick(m.t, steps, "step")
		m.did = append(m.did, s.name)
		if s.do(m) {
			m.tally.add(s.name, 1)
			// One that came to nothing may have collected all the same.
			m.rootAdded = m.rootAdded && tries == 0
			return
		}
		m.did = m.did[:len(m.did)-1]
	}
}

// end repairs what can be repaired, and then a check has nothing to tell.
func (m *machine) end() {
	m.onlyPlantedProblems()
	m.repair()
	if left := m.find(); len(left) > 0 {
		m.errorf("found at the end: %+v", left)
	}
	m.restart()
}

func mounted(t *rapid.T, dir string) int {
	t.Helper()
	list, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// inBubble calls do where the clock is its own, and waits for what it started.
// rapid ends a test by a panic, which has to leave the bubble first.
func inBubble(t *testing.T, do func()) {
	t.Helper()
	var ended any
	synctest.Test(t, func(*testing.T) {
		defer func() {
			ended = recover()
			// Where it came from is known only here.
			if e, ok := ended.(runtime.Error); ok {
				t.Logf("%v\n%s", e, debug.Stack())
			}
		}()
		do()
	})
	if ended != nil {
		panic(ended)
	}
}

// scratch is a folder in memory, if there is one: nobody needs these stores
// after a power cut, but containerd's packages wait for a disk.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ctr-prune-model-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
