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

	"github.com/containerd/errdefs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// errGone is what came of something whose image was removed between its look-up
// and its use, as any removal of an unused image does.
var errGone = errors.New("the image was removed before it was in use")

// errBusy is a pruner that found another one at work.
var errBusy = errors.New("another run is under way")

// tally counts what became of all that was tried.
type tally struct {
	// daemon is containerd, builders are its clients that build.
	daemon, builders outages
	// needy are the actors that need the builders, too.
	needy map[string]bool

	mu       sync.Mutex
	outs     map[string]int
	counts   map[string]map[string]int
	failures []string
	losses   []string
}

func (y *tally) init() {
	y.counts = make(map[string]map[string]int)
	y.outs = make(map[string]int)
}

// outage notes a time in which containerd or the builders are not there, of
// some kind.
func (y *tally) outage(kind string, of *outages, during func()) {
	y.mu.Lock()
	y.outs[kind]++
	y.mu.Unlock()
	of.take(during)
}

// outages is how many there were.
func (y *tally) outages() int { return y.daemon.times() + y.builders.times() }

// try does something once and counts what came of it.
func (y *tally) try(ctx context.Context, name string, do func(context.Context) error) {
	before := y.begin(name)
	err := do(ctx)
	y.mu.Lock()
	defer y.mu.Unlock()
	what := y.judge(ctx, name, before, err)
	if y.counts[name] == nil {
		y.counts[name] = make(map[string]int)
	}
	y.counts[name][what]++
	if what == failed {
		y.failures = append(y.failures, fmt.Sprintf("%s: %v", name, err))
	}
}

// begun is how many outages there were before something began.
type begun struct{ daemon, builders int }

// begin waits until what an actor needs is there.
func (y *tally) begin(name string) begun {
	b := begun{daemon: y.daemon.began()}
	if y.needy[name] {
		b.builders = y.builders.began()
	}
	return b
}

// cutOff says whether what an actor began was cut off by an outage.
func (y *tally) cutOff(name string, before begun, err error) bool {
	return y.daemon.excuse(before.daemon, err) || y.needy[name] && y.builders.excuse(before.builders, err)
}

const failed = "FAILED"

// judge says what an outcome is.
func (y *tally) judge(ctx context.Context, name string, before begun, err error) string {
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
	case errors.Is(err, errWritten):
		return "told of what was written as it went"
	case errors.Is(err, errBusy):
		return "busy"
	case ctx.Err() != nil:
		return "cut off by the end"
	case y.cutOff(name, before, err):
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
