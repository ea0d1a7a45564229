package races

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errGone is what came of something whose image was removed between its look-up
// and its use, as any removal of an unused image does.
var errGone = errors.New("the image was removed before it was in use")

// errBusy is a pruner that found another one at work.
var errBusy = errors.New("another run is under way")

// comingBack is how long after a restart clients may still fail to connect.
const comingBack = 10 * time.Second

// tally counts what became of all that was tried.
type tally struct {
	up sync.RWMutex // held while the daemon is down: nothing new begins

	mu       sync.Mutex
	restarts int // with the kills
	outs     map[string]int
	down     bool
	since    time.Time
	counts   map[string]map[string]int
	failures []string
	losses   []string
}

func (y *tally) init() {
	y.counts = make(map[string]map[string]int)
	y.outs = make(map[string]int)
}

// outage notes a time in which the daemon is not there, of some kind.
func (y *tally) outage(kind string, take func()) {
	y.up.Lock()
	defer y.up.Unlock()
	y.mark(true)
	y.count(kind)
	take()
	y.mark(false)
}

func (y *tally) mark(down bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.down, y.since = down, time.Now()
	if down {
		y.restarts++
	}
}

func (y *tally) count(kind string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.outs[kind]++
}

// outages is how many there were.
func (y *tally) outages() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.restarts
}

// began waits until the daemon is there, and returns how often it was restarted.
func (y *tally) began() int {
	y.up.RLock()
	defer y.up.RUnlock()
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.restarts
}

// try does something once and counts what came of it.
func (y *tally) try(ctx context.Context, name string, do func(context.Context) error) {
	before := y.began()
	err := do(ctx)
	y.mu.Lock()
	defer y.mu.Unlock()
	what := y.judge(ctx, before, err)
	if y.counts[name] == nil {
		y.counts[name] = make(map[string]int)
	}
	y.counts[name][what]++
	if what == failed {
		y.failures = append(y.failures, fmt.Sprintf("%s: %v", name, err))
	}
}

const failed = "FAILED"

// judge says what an outcome is.
func (y *tally) judge(ctx context.Context, before int, err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, errGone):
		return "image gone"
	case errors.Is(err, errUnleased):
		return "unpacked without a lease"
	case errors.Is(err, errResumed):
		return "resumed another import"
	case errors.Is(err, errStep):
		return "step of the first builder gone"
	case errors.Is(err, errGlance):
		return "looked at what it did not hold"
	case errors.Is(err, errLost):
		return "Docker had lost a container"
	case errors.Is(err, errBusy):
		return "busy"
	case ctx.Err() != nil:
		return "cut off by the end"
	case before != y.restarts || y.down, unready(err) && time.Since(y.since) < comingBack:
		return "cut off by a restart"
	case y.outs["kills"] > 0 && leftover(err):
		return "met what a kill left"
	default:
		return failed
	}
}

// leftover says whether an error is of a folder that a containerd left which was
// killed while it made a snapshot: the next snapshot gets the same number, and
// fails, until a collection looks at the snapshotter.
func leftover(err error) bool {
	return strings.Contains(err.Error(), "failed to rename: ") && strings.Contains(err.Error(), "/snapshots/") && strings.HasSuffix(strings.TrimSpace(err.Error()), "file exists")
}

// inWords are what CRI, buildctl and Docker say of a containerd that is not there
// yet, or of a connection to the one before.
var inWords = []string{
	"not initialized yet", "connection error: ", "Unavailable: ",
	"write: broken pipe", "connection reset by peer", "error reading from server: EOF",
}

// unready says whether an error is that of a containerd that is about to be
// there again.
func unready(err error) bool {
	if errdefs.IsUnavailable(err) || status.Code(err) == codes.Unavailable {
		return true
	}
	return slices.ContainsFunc(inWords, func(words string) bool { return strings.Contains(err.Error(), words) })
}

// everybody says whether all have done something.
func (y *tally) everybody(actors map[string]actor) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	for name := range actors {
		if y.counts[name]["done"] == 0 {
			return false
		}
	}
	return true
}

// lost notes what must never be.
func (y *tally) lost(format string, args ...any) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.losses = append(y.losses, fmt.Sprintf(format, args...))
}

// note counts something that is neither a success nor a failure.
func (y *tally) note(name, what string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.counts[name] == nil {
		y.counts[name] = make(map[string]int)
	}
	y.counts[name][what]++
}

// report prints the counts and fails the test for failures and losses, and for
// actors that got nothing done.
func (y *tally) report(t *testing.T, actors []string) {
	t.Helper()
	const most = 10
	for _, name := range slices.Sorted(maps.Keys(y.counts)) {
		t.Logf("%-16s %v", name, y.counts[name])
	}
	for _, name := range actors {
		if y.counts[name]["done"] == 0 {
			t.Errorf("%s: nothing was done", name)
		}
	}
	t.Logf("outages %v, %d failures, %d losses", y.outs, len(y.failures), len(y.losses))
	slices.Sort(y.failures)
	y.failures = slices.Compact(y.failures)
	for _, text := range y.failures[:min(most, len(y.failures))] {
		t.Errorf("failed, but would not have without the pruner: %s", text)
	}
	for _, text := range y.losses[:min(most, len(y.losses))] {
		t.Errorf("lost: %s", text)
	}
}
