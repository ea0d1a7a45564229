package resident

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/history"
	"github.com/ctr-prune/ctr-prune/prune"
)

// deaf is a store that answers the next questions with these errors.
type deaf struct {
	prune.Store
	errs chan error
}

func (d deaf) Namespaces(ctx context.Context) ([]string, error) {
	select {
	case err := <-d.errs:
		return nil, err
	default:
		return d.Store.Namespaces(ctx)
	}
}

// While containerd is away it is alive and not ready, tries again at times that
// double, tells of it once, and looks anew afterwards.
func TestContainerdGoneAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, ", every: 6h")
		n.refuse = fmt.Errorf("no socket: %w", errdefs.ErrNotFound)
		n.start()
		n.told("msg=started", "took the lock", "containerd does not answer; it is tried again\" error=\"no socket: not found")
		sleep(3 * time.Minute)
		n.told()
		if err := n.resident.Live(); err != nil {
			t.Errorf("it is not alive: %v", err)
		}
		if err := n.resident.Ready(); err == nil || !strings.Contains(err.Error(), "no socket") {
			t.Errorf("ready: %v", err)
		}
		if n.opened < 8 || n.opened > 11 { // after 1, 3, 7, 15, 31, 61, 91 … seconds
			t.Errorf("it was tried %d times", n.opened)
		}
		n.has("ctr_prune_containerd_up 0")

		errs := make(chan error, 2)
		n.answers(nil, func(s prune.Store) prune.Store { return deaf{s, errs} })
		sleep(connectMax)
		n.told("containerd answers")
		n.has("ctr_prune_containerd_up 1", `ctr_prune_images{namespace="default",state="remove"} 1`)
		if err := n.resident.Ready(); err != nil {
			t.Errorf("not ready: %v", err)
		}
		errs <- errdefs.ErrUnavailable
		errs <- errdefs.ErrUnavailable // takes the connection, and answers nothing
		sleep(lookEvery + connectMax)
		n.told("containerd does not answer", "containerd does not answer; it is tried again\" error=\"listing namespaces", "containerd answers")
		n.stop()
	})
}

// A run that was due while containerd was away begins when it is back.
func TestRunThatWasDueMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, ", every: 1h")
		sleep(time.Second) // after the full hour
		n.answers(errdefs.ErrUnavailable, nil)
		n.start()
		sleep(90 * time.Minute)
		n.journal.take()
		n.answers(nil, nil)
		sleep(connectMax)
		n.told("containerd answers", "removed an image", "result=done")
		n.stop()
	})
}

// A configuration that cannot be used leaves the one before in use, which is told
// once, whether somebody asks to read it or the file has changed.
func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, ", every: 6h")
		n.start()
		n.journal.take()
		first := n.resident.status.Load()

		n.write(n.file(), "version: 1\nrules: [{}]\n")
		sleep(reloadEvery)
		n.told("the configuration cannot be used")
		sleep(10 * reloadEvery)
		n.told()
		n.has("ctr_prune_config_last_reload_successful 0")
		bad := n.resident.status.Load()
		if !strings.Contains(bad.Config.Error, "config.yaml:2:9") || !bad.NextRun.Equal(first.NextRun) || !bad.Config.Loaded.Equal(first.Config.Loaded) {
			t.Errorf("status %+v", bad)
		}
		if err := n.resident.Ready(); err == nil {
			t.Error("it is ready with a configuration that has errors")
		}
		if err := n.resident.Live(); err != nil {
			t.Errorf("it is not alive: %v", err)
		}

		n.configure(everything, ", every: 6h")
		sleep(reloadEvery)
		n.told("is the one in use again")
		n.configure(everything, ", every: 3h")
		n.hangup <- syscall.SIGHUP
		synctest.Wait()
		n.told("the configuration was taken into use")
		n.has("ctr_prune_config_last_reload_successful 1")
		if next := n.resident.status.Load().NextRun; !next.Equal(first.NextRun.Add(-3 * time.Hour)) {
			t.Errorf("the next run is at %s instead of %s", next, first.NextRun.Add(-3*time.Hour))
		}
		n.write(n.file(), everything+"serve: {windows: [Mon 10:00-11:00 No/Where]}\n")
		n.hangup <- syscall.SIGHUP
		synctest.Wait()
		n.told(`unknown time zone No/Where`)
		n.stop()
	})
}

// A ConfigMap in a pod changes by a link that is replaced.
func TestReloadOfALink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		dir := filepath.Join(n.dir, "config")
		link := filepath.Join(dir, "..data")
		file := filepath.Join(link, "config.yaml")
		version := func(name, serve string) {
			t.Helper()
			must(os.MkdirAll(filepath.Join(dir, name), 0o700))
			n.configure(everything, serve)
			must(os.Rename(n.file(), filepath.Join(dir, name, "config.yaml")))
			must(os.Symlink(name, link+"_tmp"))
			must(os.Rename(link+"_tmp", link))
		}
		version("..1", "")
		n.options.Load = func(ctx context.Context) (*prune.Retention, error) { return prune.ReadRetention(ctx, file, true) }
		n.start()
		n.journal.take()
		version("..2", ", every: 6h")
		sleep(reloadEvery)
		n.told("the configuration was taken into use")
		if n.resident.status.Load().NextRun.IsZero() {
			t.Error("no run is scheduled")
		}
		n.stop()
	})
}

// Without a configuration nothing is begun.
func TestNoConfigurationToBeginWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 0, ", colour: red")
		if err := New(n.options).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown key \"colour\"") {
			t.Errorf("it ended with %v", err)
		}
	})
}

// Of two on one node the second waits and says so, and begins within seconds when
// the first is gone.
func TestTwoResidents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		n.start()
		n.told("msg=started", "took the lock", "containerd answers")
		second := *n
		second.journal = &journal{}
		second.options.Log = newLog(second.journal)
		second.options.Self = "the second"
		second.start()
		second.told("msg=started", "waiting until another resident ends\" reason=\"another resident works on this node: the test has locked ")
		sleep(time.Hour)
		second.told()
		if err := second.resident.Ready(); err == nil || !strings.Contains(err.Error(), "another resident works on this node") {
			t.Errorf("the second is ready: %v", err)
		}
		if s := second.resident.status.Load(); s.State != stateWaiting || second.resident.Live() != nil {
			t.Errorf("the second is %s: %s", s.State, s.Why)
		}
		n.stop()
		n.told()
		sleep(2 * lockEvery)
		second.told("took the lock", "containerd answers")
		second.stop()
	})
}

// Where there can be no lock the work is done without, and that is told once.
func TestNoLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, ", every: 6h")
		n.write(filepath.Join(n.dir, "state"), "a file where a folder should be")
		n.start()
		sleep(7 * time.Hour)
		n.told("msg=started", "working without the lock", "containerd answers", "removed an image", "a run ended", "the report is not kept")
		n.stop()
	})
}

// When nothing happens nothing is told, and nothing grows: not the goroutines, not
// the descriptors, not the memory.
func TestNothingHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 3, "")
		n.start()
		n.journal.take()
		sleep(2 * time.Hour)
		goroutines, files, heap := runtime.NumGoroutine(), descriptors(t), heapInUse()
		sleep(24 * time.Hour)
		n.told()
		if now := runtime.NumGoroutine(); now > goroutines {
			t.Errorf("%d goroutines after a day, %d before", now, goroutines)
		}
		if now := descriptors(t); now > files {
			t.Errorf("%d descriptors after a day, %d before", now, files)
		}
		if now := heapInUse(); now > heap+1<<20 {
			t.Errorf("%d bytes after a day, %d before", now, heap)
		}
		n.stop()
	})
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A run that cannot be done is tried again, each time later, and its time does not
// go by.
func TestFailedRunsAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, ", every: 24h")
		errs := make(chan error, 2)
		n.wrap = func(s prune.Store) prune.Store { return deaf{s, errs} }
		n.start()
		n.journal.take()
		sleep(24*time.Hour - time.Second)
		n.journal.take()
		errs <- errors.New("it hiccups") // not that nothing answers
		errs <- errors.New("it hiccups again")
		sleep(time.Second)
		n.told("the store cannot be read", "result=failed")
		sleep(retryMin)
		n.told("removed an image", "result=done")
		list, err := history.In(n.dir + "/state").List()
		if err != nil || len(list) != 2 || list[1].Error != "listing namespaces: it hiccups again" {
			t.Errorf("history %+v, %v", list, err)
		}
		n.stop()
	})
}

// A dry run tells what it would do each time, and removes nothing. A signal asks
// for one.
func TestDryRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		n.options.DryRun = true
		n.start()
		n.journal.take()
		for range 2 {
			n.runNow <- syscall.SIGUSR1
			synctest.Wait()
			n.told("a run was asked for", `"would remove an image" run=`, "trigger=signal result=planned")
		}
		n.has(`ctr_prune_runs_total{result="planned",trigger="signal"} 2`)
		n.stop()
	})
}

// Where runs begin by themselves, a dry run begins one at once, whatever the jitter and
// the windows, and goes on as scheduled. Without it nothing is removed before its time.
func TestFirstDryRun(t *testing.T) {
	for dry, told := range map[bool][]string{true: {`"would remove an image" run=`, "trigger=schedule result=planned"}, false: nil} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t, 1, `, every: 6h, jitter: 10m, windows: ["Mon-Sun 03:00-04:00 UTC"]`)
			n.options.DryRun = dry
			n.start()
			n.told(append([]string{"msg=started", "took the lock", "containerd answers"}, told...)...)
			if next := time.Until(n.resident.status.Load().NextRun); next < 3*time.Hour {
				t.Errorf("dry run %v: the next run is in %s", dry, next)
			}
			n.stop()
		})
	}
}

// held is a store whose deletions wait.
type held struct {
	prune.Store
	began, goOn chan struct{}
}

func (h held) Namespaces(ctx context.Context) ([]string, error) {
	select {
	case h.began <- struct{}{}:
		<-h.goOn
	default:
	}
	return h.Store.Namespaces(ctx)
}

// Asked to end while a run is under way, it waits for the run, lives meanwhile, and
// begins nothing more.
func TestEndDuringARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		store := held{began: make(chan struct{}), goOn: make(chan struct{})}
		n.wrap = func(s prune.Store) prune.Store { store.Store = s; return store }
		n.start()
		n.journal.take()
		n.runNow <- syscall.SIGUSR1
		<-store.began
		n.runNow <- syscall.SIGUSR1
		n.cancel()
		sleep(5 * time.Minute)
		if s := n.resident.status.Load(); s.State != stateStopping || n.resident.Live() != nil {
			t.Errorf("it is %s: %s", s.State, s.Why)
		}
		close(store.goOn)
		n.stop()
		n.told("a run was asked for", "a run was asked for", "a run ended")
	})
}
