package resident

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// A store with more images than it may have loses the oldest, and no others.
func TestTooManyImages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 3, "")
		n.configure(everything+"disk: {maxImages: 1}\n", "")
		n.start()
		sleep(time.Minute) // the disks may give back late
		n.told("msg=started", "took the lock", "containerd answers", "removed an image", "removed an image", "trigger=pressure result=done")
		n.has(`ctr_prune_runs_total{result="done",trigger="pressure"} 1`)
		n.stop()
	})
}

// full makes a disk lack more than there is, and counts how often somebody looks.
func (n *node) full(change func(*prune.Pressure)) (looks *atomic.Int64) {
	looks = new(atomic.Int64)
	n.options.Disks = func(ctx context.Context, s prune.Store, marks prune.DiskMarks) (*prune.Pressure, error) {
		p, err := prune.Disks(ctx, s, marks)
		if err != nil {
			return nil, err
		}
		looks.Add(1)
		p.FileSystems[0].NeedBytes = 1 << 50
		p.FileSystems[0].CapacityBytes, p.FileSystems[0].AvailableBytes = 1000, 100
		change(p)
		return p, nil
	}
	return looks
}

func (n *node) runs() (runs int) {
	n.t.Helper()
	for _, line := range n.journal.take() {
		if strings.Contains(line, "trigger=pressure") {
			runs++
		}
	}
	return runs
}

// What cannot be freed is told, and tried again later and later, before that when
// something happened that may help, but not at once.
func TestTargetNotReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		n.configure(everything+"disk: {high: 80%, low: 70%}\n", "")
		var available atomic.Int64
		available.Store(100)
		looks := n.full(func(p *prune.Pressure) { p.FileSystems[0].AvailableBytes = available.Load() })
		n.start()
		sleep(time.Minute)
		n.told("msg=started", "took the lock", "containerd answers", "removed an image", "trigger=pressure", "not enough could be freed")
		if n := looks.Load(); n < 6 || n > 8 {
			t.Errorf("the disks were looked at %d times in a minute", n)
		}
		s := n.resident.status.Load()
		if s.State != stateIdle || !strings.Contains(s.Why, "not enough could be freed") || s.Disks.Short == "" || !s.Disks.FileSystems[0].Pressure {
			t.Errorf("status %+v", s)
		}
		sleep(4 * time.Hour) // after 5, 15, 35, 75, 135, 195 minutes
		if runs := n.runs(); runs < 5 || runs > 7 {
			t.Errorf("%d runs in four hours", runs)
		}
		for range 100 { // images come
			n.resident.heard.Store(true)
			sleep(time.Second)
		}
		if runs := n.runs(); runs < 1 || runs > 3 {
			t.Errorf("%d runs while images came", runs)
		}
		available.Store(70) // it fills up
		sleep(2 * checkEvery)
		if runs := n.runs(); runs != 1 {
			t.Errorf("%d runs when the disk filled up", runs)
		}
		n.stop()
	})
}

// Only what is critical does not wait for a window.
func TestPressureAndWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var critical atomic.Bool
		n := newNode(t, 1, "")
		n.configure(everything+"disk: {high: 80%, critical: 95%}\n", ", windows: [Mon-Sun 05:00-06:00]")
		n.full(func(p *prune.Pressure) { p.Critical = critical.Load() })
		n.start()
		n.journal.take()
		sleep(4 * time.Hour)
		n.told()
		if s := n.resident.status.Load(); !strings.Contains(s.Why, "waiting for a window") {
			t.Errorf("it is %s: %s", s.State, s.Why)
		}
		critical.Store(true)
		sleep(time.Minute)
		if runs := n.runs(); runs != 1 {
			t.Errorf("%d runs when it became critical", runs)
		}
		n.stop()

		critical.Store(false)
		n.start()
		n.journal.take()
		sleep(time.Hour)
		if runs := n.runs(); runs != 1 {
			t.Errorf("%d runs when the window opened", runs)
		}
		n.stop()
	})
}
