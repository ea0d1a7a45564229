package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	eventtypes "github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/typeurl/v2"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/recorder"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// machine has a store, whoever watches it, and clocks of which somebody sets that of
// the day. It is in a bubble, in which time passes when nothing else happens.
type machine struct {
	t        *testing.T
	store    *flaky
	recorder *recorder.Recorder
	began    time.Time

	mu   sync.Mutex
	skew time.Duration
	told []string

	end   context.CancelFunc
	ended chan error
}

// flaky is a store with events of the test's, and with errors.
type flaky struct {
	store.Store
	mu     sync.Mutex
	err    error
	id     string
	told   chan *events.Envelope
	failed chan error
}

func (f *flaky) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func (f *flaky) Namespaces(ctx context.Context) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return nil, f.err
	}
	return f.Store.Namespaces(ctx)
}

func (f *flaky) Info(ctx context.Context) (store.StoreInfo, error) {
	info, err := f.Store.Info(ctx)
	info.ID = f.id
	return info, err
}

func (f *flaky) Events() events.Subscriber {
	if f.told == nil {
		return nil
	}
	return f
}

func (f *flaky) Subscribe(ctx context.Context, _ ...string) (<-chan *events.Envelope, <-chan error) {
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		select {
		case err := <-f.failed:
			if err != nil {
				failed <- err
			}
		case <-ctx.Done():
		}
	}()
	return f.told, failed
}

// newMachine is one with two images, of which containers of web come and go.
func newMachine(t *testing.T) *machine {
	t.Helper()
	scene := tw.NewScene(t, tw.World{"default": {tw.Record("x.io/web:1", "web"), tw.Blob("web"), tw.Record("x.io/db:1", "db"), tw.Blob("db")}})
	m := &machine{t: t, began: time.Now()}
	m.store = &flaky{Store: scene.Store, id: "store-a", told: make(chan *events.Envelope), failed: make(chan error)}
	m.recorder = &recorder.Recorder{State: t.TempDir(), Now: m.now, Told: m.hear}
	m.recorder.Clock.Up = func() (string, time.Duration, time.Duration) { up := time.Since(m.began); return "boot", up, up }
	return m
}

// now is the time of day, by a clock that somebody may have set.
func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return tw.Noon.Add(30*24*time.Hour + time.Since(m.began) + m.skew)
}

// set sets the clock, and lets the store be looked at.
func (m *machine) set(by time.Duration) {
	m.mu.Lock()
	m.skew += by
	m.mu.Unlock()
	m.sleep(2 * time.Minute)
}

func (m *machine) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (m *machine) hear(what string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.told = append(m.told, fmt.Sprintf("%s: %v", what, err))
	}
}

// errs are what was told since the last time.
func (m *machine) errs() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	told := m.told
	m.told = nil
	return told
}

// watch begins to watch, and waits until nothing is to be done.
func (m *machine) watch() {
	ctx, end := context.WithCancel(m.t.Context())
	m.end, m.ended = end, make(chan error, 1)
	go func(ended chan error) { ended <- m.recorder.Run(ctx, m.store) }(m.ended)
	synctest.Wait()
}

// stop ends the watch.
func (m *machine) stop() error {
	m.end()
	return <-m.ended
}

// use has a container of web come and go.
func (m *machine) use() {
	event := tw.Must(typeurl.MarshalAny(&eventtypes.ContainerCreate{ID: "c1", Image: "x.io/web:1"}))
	m.store.told <- &events.Envelope{Namespace: "default", Topic: "/containers/create", Event: event}
	synctest.Wait()
}

// last is how long ago web was used, as far as that is known.
func (m *machine) last() time.Duration {
	now := m.now()
	return now.Sub(m.recorder.View().Last("default", tw.Digest("web"), now).At)
}

// stays lists the images that a policy keeps which wants those that were used within
// two hours.
func (m *machine) stays() string {
	m.t.Helper()
	policy := rules.Policy{
		AllNamespaces: true, Filters: tw.All(), LastUse: m.recorder.View(),
		Retention: tw.Must(retention.Parse("p", []byte("version: 1\nrules: [{name: r, match: {names: ['**']}, keep: {usedWithin: 2h}}]\n"))),
	}
	plan := tw.Must(flow.ReadPlan(m.t.Context(), m.store.Store, policy, m.now(), read.ReadOptions{}))
	var stay []string
	for _, d := range plan.Decisions {
		if d.Action == rules.Keep {
			stay = append(stay, strings.TrimSuffix(strings.TrimPrefix(d.Record().Name, "x.io/"), ":1"))
		}
	}
	return strings.Join(stay, " ")
}

// Somebody sets the clock while the use of images is watched. Set back, everything seems
// younger, which keeps more; nothing that was noted moves. Set forward, nobody knows any
// more how long ago something was, so that everything is kept until it was watched for
// as long as it takes. Either way that ends.
func TestClockIsSet(t *testing.T) {
	for name, test := range map[string]struct {
		set []time.Duration
		// last is how long ago web seems to have been used then, stays what is kept.
		last  time.Duration
		stays string
		// after is how long it takes until both may go again.
		after time.Duration
	}{
		"not at all":           {nil, 3 * time.Hour, "", 0},
		"back":                 {[]time.Duration{-90 * time.Minute}, 92 * time.Minute, "db web", 30 * time.Minute},
		"back before the use":  {[]time.Duration{-12 * time.Hour}, 0, "db web", 11 * time.Hour},
		"forward":              {[]time.Duration{72 * time.Hour}, 75*time.Hour + 2*time.Minute, "db web", 2 * time.Hour},
		"forward by a little":  {[]time.Duration{5 * time.Minute}, 3*time.Hour + 7*time.Minute, "", 0},
		"forward and back":     {[]time.Duration{72 * time.Hour, -72 * time.Hour}, 3*time.Hour + 4*time.Minute, "db web", 2 * time.Hour},
		"back and forward":     {[]time.Duration{-72 * time.Hour, 72 * time.Hour}, 3*time.Hour + 4*time.Minute, "db web", 2 * time.Hour},
		"to and fro by little": {[]time.Duration{5 * time.Minute, -5 * time.Minute, 5 * time.Minute, -5 * time.Minute}, 3*time.Hour + 8*time.Minute, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(t)
				m.watch()
				m.use()
				m.sleep(3 * time.Hour)
				for _, by := range test.set {
					m.set(by)
				}
				if got := m.last(); got != test.last {
					t.Errorf("web was used %s ago, want %s", got, test.last)
				}
				if got := m.stays(); got != test.stays {
					t.Errorf("%q stay, want %q", got, test.stays)
				}
				if test.after > 0 {
					m.sleep(test.after - 10*time.Minute)
					if got := m.stays(); got == "" {
						t.Errorf("nothing stays ten minutes before %s", test.after)
					}
					m.sleep(20 * time.Minute)
					if got := m.stays(); got != "" {
						t.Errorf("%q stay after %s", got, test.after)
					}
				}
				if errs := m.errs(); len(errs) > 0 {
					t.Errorf("told: %q", errs)
				}
				_ = m.stop() // it ends with the context
			})
		})
	}
}

// file is where it is kept when images of the store were used.
func (m *machine) file() string { return filepath.Join(m.recorder.State, m.store.id, "use.json") }

func (m *machine) wantTold(want ...string) {
	m.t.Helper()
	got := m.errs()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.Contains(got[i], want[i]) {
			m.t.Fatalf("told %q, want %q", got, want)
		}
	}
}

// What is there and cannot be believed, such as the file of another store, is told of,
// set aside, and begun anew; the file of the other store stays as it is.
func TestFileThatCannotBeRead(t *testing.T) {
	for name, damage := range map[string]func(m *machine) (want string){
		"cut off": func(m *machine) string {
			text := tw.Must(os.ReadFile(m.file()))
			tw.Must(0, os.WriteFile(m.file(), text[:len(text)/2], 0o600))
			return "cannot be used"
		},
		"of another store": func(m *machine) string {
			text := tw.Must(os.ReadFile(m.file()))
			m.store.id = "store-b"
			tw.Must(0, os.MkdirAll(filepath.Dir(m.file()), 0o700))
			tw.Must(0, os.WriteFile(m.file(), text, 0o600))
			return `it is of store "store-a"`
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMachine(t)
				m.watch()
				m.use()
				_ = m.stop() // it ends with the context
				first := m.file()
				want := damage(m)
				there := tw.Must(os.ReadFile(first))
				m.recorder = &recorder.Recorder{State: m.recorder.State, Now: m.now, Told: m.hear, Clock: m.recorder.Clock}
				m.sleep(5 * time.Minute)
				m.watch()
				m.wantTold(want, want) // in reading, and in saving
				if use := m.recorder.View().Last("default", tw.Digest("web"), m.now()); !use.At.IsZero() || m.stays() != "db web" {
					t.Errorf("something of it is believed: %v", use)
				}
				if _, err := os.Stat(m.file() + ".damaged"); err != nil {
					t.Errorf("it was not set aside: %v", err)
				}
				m.sleep(time.Hour)
				m.wantTold()
				if first != m.file() && string(tw.Must(os.ReadFile(first))) != string(there) {
					t.Error("the file of the other store has changed")
				}
				_ = m.stop() // it ends with the context
			})
		})
	}
}

// Two stores, one after the other, are kept apart.
func TestAnotherStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.watch()
		m.use()
		_ = m.stop() // it ends with the context
		first := m.file()
		there := string(tw.Must(os.ReadFile(first)))
		m.store.id = "store-b"
		m.watch()
		if use := m.recorder.View().Last("default", tw.Digest("web"), m.now()); !use.At.IsZero() {
			t.Errorf("web was used by %s in another store", use.By)
		}
		_ = m.stop() // it ends with the context
		if now := string(tw.Must(os.ReadFile(first))); now != there || !strings.Contains(string(tw.Must(os.ReadFile(m.file()))), `"store":"store-b"`) {
			t.Errorf("the first store has %s", now)
		}
		m.wantTold()
	})
}

// What cannot be saved is told of each time, known in memory, and saved when it can be.
func TestFileThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		inTheWay := filepath.Join(filepath.Dir(m.file()), "use.json.new", "x")
		tw.Must(0, os.MkdirAll(inTheWay, 0o700))
		m.watch()
		m.wantTold(recorder.Saving)
		m.use()
		m.sleep(time.Minute)
		m.wantTold(recorder.Saving)
		m.sleep(20 * time.Minute)
		if len(m.errs()) < 3 || m.last() != 21*time.Minute {
			t.Errorf("web was used %s ago", m.last())
		}
		if _, err := os.Stat(m.file()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("there is a file: %v", err)
		}
		tw.Must(0, os.RemoveAll(filepath.Dir(inTheWay)))
		m.sleep(10 * time.Minute)
		m.wantTold()
		if text := string(tw.Must(os.ReadFile(m.file()))); !strings.Contains(text, `container c1`) {
			t.Errorf("saved is %s", text)
		}
		_ = m.stop() // it ends with the context
	})
}

// Without a folder that can be, everything is kept in memory.
func TestNoStateFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.recorder.State = filepath.Join(m.recorder.State, "file")
		tw.Must(0, os.WriteFile(m.recorder.State, nil, 0o600))
		m.watch()
		m.wantTold(recorder.Loading, recorder.Saving)
		m.use()
		m.sleep(time.Minute)
		m.wantTold(recorder.Saving)
		if m.last() != time.Minute {
			t.Errorf("web was used %s ago", m.last())
		}
		_ = m.stop() // it ends with the context
	})
}

// A feed that ends says why, what is known is saved, and the watch goes on where it was
// when it is begun again, without a gap if that is soon.
func TestFeedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		for _, cause := range []error{errors.New("the stream broke"), nil} {
			m.watch()
			m.use()
			m.store.failed <- cause
			err := <-m.ended
			want := "following containerd's events: there are no more"
			if cause != nil {
				want = "following containerd's events: the stream broke"
			}
			if fmt.Sprint(err) != want || cause != nil && !errors.Is(err, cause) {
				t.Errorf("it ended with %v", err)
			}
			if text := string(tw.Must(os.ReadFile(m.file()))); !strings.Contains(text, `container c1`) {
				t.Errorf("saved is %s", text)
			}
			m.sleep(5 * time.Minute)
		}
		m.watch()
		if since := m.recorder.View().Since(m.now()); m.now().Sub(since) != 10*time.Minute {
			t.Errorf("watched for %s", m.now().Sub(since))
		}
		_ = m.stop() // it ends with the context
		m.wantTold()
	})
}

// A first look that fails ends the watch, with the error; a later one is told of and
// tried again, and what is known stays known.
func TestLookFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		hiccup := errors.New("it hiccups")
		m.store.fail(hiccup)
		m.watch()
		if err := <-m.ended; !errors.Is(err, hiccup) || !strings.HasPrefix(err.Error(), "looking at who uses images: ") {
			t.Errorf("it ended with %v", err)
		}
		m.wantTold(recorder.Looking + ": listing namespaces: it hiccups")

		m.store.fail(nil)
		m.watch()
		m.use()
		m.store.fail(hiccup)
		m.sleep(5 * time.Minute)
		if errs := m.errs(); len(errs) < 4 || m.last() != 5*time.Minute {
			t.Errorf("%d looks failed, and web was used %s ago", len(errs), m.last())
		}
		m.store.fail(nil)
		m.sleep(2 * time.Minute)
		m.wantTold()
		if looked := m.recorder.Looked(); m.now().Sub(looked) > time.Minute {
			t.Errorf("the last look was at %s", looked)
		}
		_ = m.stop() // it ends with the context
	})
}

// What cannot be watched is no store to begin with.
func TestStoresThatAreNotWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t)
		m.store.told = nil
		m.watch()
		if err := <-m.ended; err == nil || !strings.Contains(err.Error(), "tells of no events") {
			t.Errorf("it ended with %v", err)
		}
		m.store.id = "../.."
		m.store.told = make(chan *events.Envelope)
		m.watch()
		m.wantTold(recorder.Loading + `: the store's ID "../.." cannot be the name of a folder`)
		_ = m.stop() // it ends with the context
	})
}
