package resident

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/typeurl/v2"

	"github.com/ctr-prune/ctr-prune/prune"
)

// usedWithin keeps what was used within an hour.
const usedWithin = "version: 1\nrules: [{name: r, match: {names: ['**']}, keep: {usedWithin: 1h}}]\n"

// fed is a store with events of the test's.
type fed struct {
	prune.Store
	told chan *events.Envelope
}

func (f fed) Events() events.Subscriber { return f }

func (f fed) Subscribe(ctx context.Context, _ ...string) (<-chan *events.Envelope, <-chan error) {
	failed := make(chan error)
	context.AfterFunc(ctx, func() { close(failed) })
	return f.told, failed
}

// feed lets the use of images be watched, by clocks of which somebody may set that of
// the day.
func (n *node) feed() (told chan *events.Envelope, set func(time.Duration)) {
	told = make(chan *events.Envelope)
	n.wrap = func(s prune.Store) prune.Store { return fed{s, told} }
	var skew atomic.Int64
	began := time.Now()
	n.options.Now = func() time.Time { return time.Now().Round(0).Add(time.Duration(skew.Load())) }
	n.options.Up = func() (string, time.Duration, time.Duration) { up := time.Since(began); return "boot", up, up }
	return told, func(by time.Duration) { skew.Add(int64(by)) }
}

// use has a container of an image come and go.
func use(t *testing.T, told chan *events.Envelope, image string) {
	t.Helper()
	event, err := typeurl.MarshalAny(&eventtypes.ContainerCreate{ID: "c1", Image: image})
	if err != nil {
		t.Fatal(err)
	}
	told <- &events.Envelope{Namespace: "default", Topic: "/containers/create", Event: event}
	synctest.Wait()
}

// scheduled counts the scheduled runs since the last time.
func (n *node) scheduled() (runs int) {
	n.t.Helper()
	for _, line := range n.journal.take() {
		if strings.Contains(line, "trigger=schedule") {
			runs++
		}
	}
	return runs
}

// However somebody sets the clock, runs are neither done in a storm nor left out, the
// disks and the configuration are looked at, and the pages tell of the time as it is.
func TestClockIsSet(t *testing.T) {
	for name, by := range map[string]time.Duration{
		"forward by days": 72*time.Hour + time.Minute, "forward by years": 5 * 365 * 24 * time.Hour, "back by days": -72 * time.Hour, "back by years": -20 * 365 * 24 * time.Hour,
		"back by an hour": -time.Hour, "forward by an hour": time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, 1, "")
				n.configure(usedWithin+"disk: {high: 100%, check: 10m}\n", ", every: 6h")
				_, set := n.feed()
				n.wrap = nil
				looks := new(atomic.Int64)
				n.options.Disks = func(ctx context.Context, s prune.Store, marks prune.DiskMarks) (*prune.Pressure, error) {
					looks.Add(1)
					return prune.Disks(ctx, s, marks)
				}
				n.start()
				sleep(13 * time.Hour)
				n.journal.take()
				set(by)
				sleep(time.Minute)
				looked := looks.Load()
				if runs := n.scheduled(); runs > 1 {
					t.Errorf("%d runs within a minute", runs)
				}
				sleep(24 * time.Hour)
				if runs := n.scheduled(); runs < 3 || runs > 5 {
					t.Errorf("%d runs in a day", runs)
				}
				if more := looks.Load() - looked; more < 140 || more > 150 {
					t.Errorf("the disks were looked at %d times in a day", more)
				}
				s, now := n.resident.status.Load(), n.options.Now()
				if next := s.NextRun.Sub(now); next <= 0 || next > 6*time.Hour {
					t.Errorf("the next run is in %s", next)
				}
				if n.resident.Live() != nil || n.resident.Ready() != nil || now.Sub(s.LastLook) > fresh {
					t.Errorf("live: %v, ready: %v, looked at %s", n.resident.Live(), n.resident.Ready(), s.LastLook)
				}
				n.write(n.file(), "version: 2\n")
				sleep(reloadEvery)
				if n.resident.status.Load().Config.Error == "" {
					t.Error("the configuration is not read")
				}
				n.stop()
			})
		})
	}
}

// What is decided by the use of images while somebody sets the clock: more stays, until
// use was watched for as long as the policy asks.
func TestUseWhileTheClockIsSet(t *testing.T) {
	for name, test := range map[string]struct {
		by      time.Duration
		removed [3]string // an hour after that, two hours later, and three hours later
	}{
		"not at all": {0, [3]string{"b", "a", ""}},
		"forward":    {3 * time.Hour, [3]string{"", "a b", ""}},
		"back":       {-3 * time.Hour, [3]string{"", "", "a b"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, 2, "")
				n.configure(usedWithin, ", every: 30m")
				told, set := n.feed()
				sleep(time.Minute)
				n.start()
				n.journal.take()
				sleep(50 * time.Minute)
				use(t, told, "docker.io/library/a:1")
				set(test.by)
				for i, d := range []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour} {
					sleep(d)
					if got := n.removed(); got != test.removed[i] {
						t.Errorf("%s later %q are removed, want %q", d, got, test.removed[i])
					}
				}
				n.stop()
			})
		})
	}
}

// removed lists the images that the log says are, since the last time.
func (n *node) removed() string {
	n.t.Helper()
	var images []string
	for _, line := range n.journal.take() {
		if _, rest, ok := strings.Cut(line, `"removed an image"`); ok {
			_, image, _ := strings.Cut(rest, "docker.io/library/")
			images = append(images, image[:1])
		}
	}
	slices.Sort(images)
	return strings.Join(images, " ")
}
