package resident

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/log"
	"go.uber.org/goleak"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/metrics"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/notify"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// TestMain fails the tests if a goroutine outlives them.
func TestMain(m *testing.M) {
	log.L.Logger.SetLevel(log.ErrorLevel)
	goleak.VerifyTestMain(m)
}

// journal is a log that tests read.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// take returns what was written since the last time, a line each, without the time.
func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := strings.TrimSuffix(j.text.String(), "\n")
	j.text.Reset()
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// node is a machine with a store and a resident, in a bubble in which time passes
// only when nothing else happens.
type node struct {
	t        *testing.T
	dir      string
	journal  *journal
	resident *Resident
	options  Options
	hangup   chan os.Signal
	runNow   chan os.Signal
	cancel   context.CancelFunc
	ended    chan error

	mu *sync.Mutex
	// refuse, if not nil, is the error of the next connection, wrap what is made of
	// its store.
	refuse error
	wrap   func(prune.Store) prune.Store
	opened int
	// sources are asked who else uses images.
	sources map[string]prune.Source
}

const everything = "version: 1\nrules: [{name: all, match: {names: ['**']}, keep: none}]\n"

// newNode makes a machine whose store has so many images. The configuration lacks
// where the state is, and listens nowhere.
func newNode(t *testing.T, images int, serve string) *node {
	t.Helper()
	n := &node{t: t, dir: t.TempDir(), journal: &journal{}, mu: &sync.Mutex{}, hangup: make(chan os.Signal, 1), runNow: make(chan os.Signal, 1)}
	n.fill(images)
	n.configure(everything, serve)
	n.options = Options{
		Load: func(ctx context.Context) (*prune.Retention, error) { return prune.ReadRetention(ctx, n.file(), true) },
		File: "config.yaml", Connect: n.connect, Disks: prune.Disks, Node: "node-1", Self: "the test", Local: time.UTC, Now: time.Now,
		Log:     newLog(n.journal),
		Metrics: metrics.New("test", time.Now),
		Manager: notify.New(func(string) string { return "" }, 0), Hangup: n.hangup, RunNow: n.runNow, Namespace: "default", Version: "test",
	}
	return n
}

func newLog(j *journal) *slog.Logger {
	return slog.New(slog.NewTextHandler(j, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func (n *node) file() string { return filepath.Join(n.dir, "config.yaml") }

func (n *node) configure(rules, serve string) {
	n.write(n.file(), rules+"serve: {listen: none, state: "+filepath.Join(n.dir, "state")+serve+"}\n")
}

func (n *node) write(path, text string) {
	n.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) root() string { return filepath.Join(n.dir, "root") }

func (n *node) fill(images int) {
	n.t.Helper()
	e, err := imagestore.OpenEmbedded(context.Background(), n.root(), "native")
	if err != nil {
		n.t.Fatal(err)
	}
	b := imagestore.New(uint64(images))
	for i := range images {
		name := "docker.io/library/" + string(rune('a'+i)) + ":1"
		if err := e.Store("default").Add(context.Background(), b.Image(imagestore.Spec{Name: name})); err != nil {
			n.t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) connect(ctx context.Context, _ *prune.Retention) (prune.Store, map[string]prune.Source, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.opened++
	if n.refuse != nil {
		return nil, nil, n.refuse
	}
	store, err := prune.OpenRoot(ctx, n.root())
	if err == nil && n.wrap != nil {
		store = n.wrap(store)
	}
	return store, n.sources, err
}

// answers decides whether a connection is taken from now on, and what is made of its
// store.
func (n *node) answers(refuse error, wrap func(prune.Store) prune.Store) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refuse, n.wrap = refuse, wrap
}

// start starts the resident, and waits until it sleeps.
func (n *node) start() {
	n.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel, n.ended = cancel, make(chan error, 1)
	n.resident = New(n.options)
	ended := n.ended
	go func() { ended <- n.resident.Run(ctx); close(ended) }()
	n.t.Cleanup(func() { // also of a test that failed
		cancel()
		for range ended {
		}
	})
	synctest.Wait()
}

// stop ends it.
func (n *node) stop() {
	n.t.Helper()
	n.cancel()
	if err := <-n.ended; err != nil {
		n.t.Errorf("it ended with %v", err)
	}
}

// sleep lets time pass, and waits until the resident sleeps again.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// told fails unless each of the texts is in a line of its own, in this order, and
// there is no other.
func (n *node) told(want ...string) {
	n.t.Helper()
	got := n.journal.take()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.Contains(got[i], want[i]) {
			n.t.Fatalf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// scrape is what Prometheus would read.
func (n *node) scrape() string {
	w := &response{header: make(map[string][]string)}
	n.options.Metrics.Handler().ServeHTTP(w, request())
	return w.text.String()
}

// has fails unless the metrics have the lines.
func (n *node) has(lines ...string) {
	n.t.Helper()
	text := n.scrape()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			n.t.Errorf("the metrics lack %s", line)
		}
	}
}
