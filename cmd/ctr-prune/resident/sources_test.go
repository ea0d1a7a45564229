package resident

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// asked is a source that counts how often it is asked, and for how many at once.
type asked struct {
	mu    sync.Mutex
	count int
	err   error
}

func (a *asked) Uses(context.Context, prune.Asked) ([]prune.Use, bool, error) {
	if !a.mu.TryLock() {
		panic("a source is asked by two at once")
	}
	defer a.mu.Unlock()
	a.count++
	return nil, a.err == nil, a.err
}

// take returns how often it was asked since the last time.
func (a *asked) take() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.count
	a.count = 0
	return taken
}

func (a *asked) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

// A look of each minute asks those who are near, and lists pods as often as the configuration
// says; a run and the reading of the store always do. What fails is not asked more often.
func TestPodsAreListedMoreRarely(t *testing.T) {
	for _, test := range []struct {
		config string
		pods   int // an hour, without the reading of the store
	}{{"", 12}, {", pods: {every: 20m}", 3}, {", pods: {every: 1s}", 60}} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t, 1, test.config)
			pods, docker := &asked{}, &asked{}
			n.sources = map[string]prune.Source{clientPods: pods, "docker": docker}
			n.feed()
			n.start()
			const hours = 3
			pass := func(what string) (near int) {
				t.Helper()
				pods.take()
				docker.take()
				sleep(hours * time.Hour)
				if got := pods.take(); got < hours*test.pods || got > hours*(test.pods+2) {
					t.Errorf("%s: pods were listed %d times in %d hours", test.config+what, got, hours)
				}
				return docker.take()
			}
			if near := pass(""); near < hours*60 || near > hours*62 {
				t.Errorf("%s: others were asked %d times in %d hours", test.config, near, hours)
			}
			pods.fail(errors.New("403 Forbidden"))
			pass(" failing")
			n.runNow <- syscall.SIGUSR1
			synctest.Wait()
			if got := pods.take(); got == 0 {
				t.Error("a run did not ask")
			}
			n.stop()
		})
	}
}

// docs/fleet.md counts what a run asks.
func TestListsOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 3, "")
		pods := &asked{}
		n.sources = map[string]prune.Source{clientPods: pods}
		n.start()
		sleep(time.Second)
		for _, want := range []int{5, 1} {
			pods.take()
			n.runNow <- syscall.SIGUSR1
			sleep(time.Minute)
			if got := pods.take(); got != want {
				t.Errorf("pods were listed %d times, want %d", got, want)
			}
		}
		n.stop()
	})
}

// A configuration that has pods listed elsewhere is taken into use without a restart.
func TestPodsFromElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		var sources []string
		connect := n.options.Connect
		n.options.Connect = func(ctx context.Context, r *prune.Retention) (prune.Store, map[string]prune.Source, error) {
			sources = append(sources, r.Serve.Pods)
			return connect(ctx, r)
		}
		n.start()
		for _, more := range []string{", pods: {source: kubelet}", ", events: true, pods: {source: kubelet}", ", pods: {source: none, every: 1h}", ", pods: {source: none, every: 2h}"} {
			n.configure(everything, more)
			n.hangup <- syscall.SIGHUP
			sleep(time.Second)
		}
		if got := fmt.Sprintf("%q", sources); got != `["" "kubelet" "none" "none"]` {
			t.Errorf("connected for %s:\n%s", got, strings.Join(n.journal.take(), "\n"))
		}
		n.stop()
	})
}
