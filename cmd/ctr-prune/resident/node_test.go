package resident

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/cluster"
	"github.com/ctr-prune/ctr-prune/prune"
)

// listens takes over what the cluster is told.
func (n *node) listens() (take func() []cluster.Event, fail func(error)) {
	var mu sync.Mutex
	var all []cluster.Event
	var failure error
	n.options.Event = func(_ context.Context, e cluster.Event) error {
		mu.Lock()
		defer mu.Unlock()
		if failure == nil {
			all = append(all, e)
		}
		return failure
	}
	take = func() []cluster.Event { mu.Lock(); defer mu.Unlock(); taken := all; all = nil; return taken }
	return take, func(err error) { mu.Lock(); defer mu.Unlock(); failure = err }
}

// The cluster is told what was removed, that a target was not reached, and that a run
// failed, if the configuration asks for it; that it cannot be told is told once.
func TestEventsOfRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, ", events: true")
		take, fail := n.listens()
		errs := make(chan error, 2)
		n.wrap = func(s prune.Store) prune.Store { return deaf{s, errs} }
		n.start()
		want := func(reason, message string) {
			t.Helper()
			got := take()
			if len(got) != 1 || got[0].Reason != reason || !strings.Contains(got[0].Message, message) || got[0].Warning != (reason != cluster.ReasonPruned) {
				t.Errorf("told %+v, want %s with %q", got, reason, message)
			}
		}
		run := func() {
			n.runNow <- syscall.SIGUSR1
			synctest.Wait()
		}
		run()
		want(cluster.ReasonPruned, "removed 1 image names and freed ")
		run() // nothing is left
		if got := take(); len(got) > 0 {
			t.Errorf("told %+v", got)
		}
		errs <- errors.New("it hiccups")
		run()
		want(cluster.ReasonFailed, "it hiccups")

		fail(errors.New("403 Forbidden"))
		n.journal.take()
		for range 2 {
			errs <- errors.New("it hiccups")
			run()
		}
		if got := strings.Join(n.journal.take(), "\n"); strings.Count(got, `msg="the cluster is not told of events" error="403 Forbidden"`) != 1 {
			t.Errorf("told:\n%s", got)
		}
		n.has(`ctr_prune_client_errors_total{client="events"} 2`)
		n.configure(everything, ", events: false")
		n.hangup <- syscall.SIGHUP
		synctest.Wait()
		fail(nil)
		errs <- errors.New("it hiccups")
		run()
		if got := take(); len(got) > 0 {
			t.Errorf("told without being asked to: %+v", got)
		}
		n.stop()
	})
}

// A target that is not reached is an event.
func TestEventOfTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		take, _ := n.listens()
		n.configure(everything+"disk: {high: 80%, low: 70%}\n", ", events: true")
		n.full(func(*prune.Pressure) {})
		n.start()
		sleep(time.Minute)
		got := take()
		if len(got) != 2 || got[0].Reason != cluster.ReasonPruned || got[1].Reason != cluster.ReasonUnreached || !got[1].Warning {
			t.Errorf("told %+v", got)
		}
		n.stop()
	})
}

// An API server that does not answer keeps neither a run nor the end waiting.
func TestEventsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, ", events: true, every: 6h")
		release := make(chan struct{})
		n.options.Event = func(context.Context, cluster.Event) error { <-release; return nil }
		n.start()
		sleep(30 * time.Hour)
		if runs := n.scheduled(); runs < 4 {
			t.Errorf("%d runs", runs)
		}
		begin := time.Now()
		n.stop()
		if took := time.Since(begin); took > 2*lastWords {
			t.Errorf("it ended after %s", took)
		}
		close(release)
		synctest.Wait()
	})
}

// The kubelet's marks are compared each hour, and a conflict is told once, on the page
// and as a metric, as is that they cannot be had.
func TestKubeletCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 0, "")
		n.configure(everything+"disk: {high: 85%}\n", ", kubeletCheck: true")
		var mu sync.Mutex
		marks, failure, asked := cluster.Marks{High: 85, Low: 80}, error(nil), 0
		n.options.Kubelet = func(context.Context) (cluster.Marks, error) {
			mu.Lock()
			defer mu.Unlock()
			asked++
			return marks, failure
		}
		set := func(m cluster.Marks, err error) { mu.Lock(); defer mu.Unlock(); marks, failure = m, err }
		n.start()
		sleep(beatEvery)
		n.toldOf("kubelet", `msg="the kubelet acts before this policy does" reason="disk.high is 85%`)
		n.has("ctr_prune_kubelet_conflicts 1")
		if s := n.resident.status.Load(); s.Kubelet == nil || len(s.Kubelet.Conflicts) != 1 {
			t.Errorf("status %+v", s.Kubelet)
		}
		sleep(10 * time.Hour)
		n.toldOf("kubelet")
		if asked < 10 || asked > 12 {
			t.Errorf("the kubelet was asked %d times in ten hours", asked)
		}
		set(cluster.Marks{}, errors.New("403 Forbidden"))
		sleep(3 * time.Hour)
		n.toldOf("kubelet", `msg="the kubelet's marks are not known" error="403 Forbidden"`)
		if s := n.resident.status.Load(); s.Kubelet.Error != "403 Forbidden" || n.resident.Ready() != nil {
			t.Errorf("status %+v, %v", s.Kubelet, n.resident.Ready())
		}
		set(cluster.Marks{High: 95, Low: 90}, nil)
		sleep(2 * time.Hour)
		n.has("ctr_prune_kubelet_conflicts 0")
		if s := n.resident.status.Load(); s.Kubelet.Error != "" || len(s.Kubelet.Conflicts) > 0 {
			t.Errorf("status %+v", s.Kubelet)
		}
		n.configure(everything+"disk: {high: 85%}\n", "")
		n.hangup <- syscall.SIGHUP
		sleep(3 * time.Hour)
		if s := n.resident.status.Load(); s.Kubelet != nil {
			t.Errorf("without being asked to: %+v", s.Kubelet)
		}
		n.stop()
	})
}
