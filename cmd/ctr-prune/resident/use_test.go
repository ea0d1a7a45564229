package resident

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/containerd/v2/core/events"

	"github.com/ctr-prune/ctr-prune/prune"
)

// useFile is where it will be kept when images of the node's store are used.
func (n *node) useFile() string {
	n.t.Helper()
	store, err := prune.OpenRoot(n.t.Context(), n.root())
	if err != nil {
		n.t.Fatal(err)
	}
	info, err := store.Info(n.t.Context())
	if err := errors.Join(err, store.Close()); err != nil {
		n.t.Fatal(err)
	}
	file := filepath.Join(n.dir, "state", info.ID, "use.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		n.t.Fatal(err)
	}
	return file
}

// State that cannot be written, that is damaged, or that is of another store: the log
// says it once, and again when it is over, and the page and the metric as long as it is
// so; nothing else of the work is disturbed.
func TestStateOfUse(t *testing.T) {
	damage := func(text string) func(string) error {
		return func(file string) error { return os.WriteFile(file, []byte(text), 0o600) }
	}
	const reading, saving, works = `step="reading when images were last used" error="`, `step="saving when images were last used" error="`, `works again" step="`
	for name, test := range map[string]struct {
		spoil, mend func(file string) error
		told        []string // when it begins
		status      string
		over        []string
	}{
		"cannot be written": {
			spoil: func(file string) error { return os.MkdirAll(filepath.Join(file+".new", "x"), 0o700) },
			mend:  func(file string) error { return os.RemoveAll(file + ".new") },
			told:  []string{saving + "remove "}, status: "saving when images were last used: remove ",
			over: []string{works + "saving"},
		},
		"is damaged": {
			spoil: damage(`{"version":1,`), told: []string{reading, saving}, status: "use.json cannot be used",
			over: []string{works + "reading", works + "saving"},
		},
		"is of another store": {
			spoil: damage(`{"version":1,"store":"other","targets":[]}`), told: []string{reading, saving}, status: `it is of store "other"`,
			over: []string{works + "reading", works + "saving"},
		},
		"is a folder of others": {
			spoil: func(file string) error { return os.Chmod(filepath.Dir(file), 0o777) }, //nolint:gosec // that is the fault
			mend:  func(file string) error { return os.Chmod(filepath.Dir(file), 0o700) }, //nolint:gosec // a folder
			told:  []string{reading, saving}, status: "is not believed",
			over: []string{works + "reading", works + "saving"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNode(t, 1, "")
				n.configure(usedWithin, "")
				file := n.useFile()
				if err := test.spoil(file); err != nil {
					t.Fatal(err)
				}
				n.feed()
				n.start()
				sleep(beatEvery) // what is known after the first look is on the page then
				n.toldOfUse(test.told...)
				n.has("ctr_prune_use_failing 1", "ctr_prune_containerd_up 1")
				if s := n.resident.status.Load(); !strings.Contains(s.Use.Error, test.status) || s.Use.Looked.IsZero() || s.Use.Since.IsZero() {
					t.Errorf("status %+v", s.Use)
				}
				if err := n.resident.Ready(); err != nil {
					t.Errorf("it is not ready: %v", err)
				}
				if test.mend != nil {
					sleep(30 * time.Minute)
					n.toldOfUse()
					if err := test.mend(file); err != nil {
						t.Fatal(err)
					}
				}
				sleep(10 * time.Minute)
				n.toldOfUse(test.over...)
				n.has("ctr_prune_use_failing 0")
				if s := n.resident.status.Load(); s.Use.Error != "" {
					t.Errorf("status %+v", s.Use)
				}
				if _, err := os.Stat(file); err != nil {
					t.Error(err)
				}
				n.stop()
			})
		})
	}
}

// toldOfUse is as told, of what was told of the use of images.
func (n *node) toldOfUse(want ...string) {
	n.t.Helper()
	n.toldOf("use of images", want...)
}

// toldOf is as told, of the lines with a text.
func (n *node) toldOf(text string, want ...string) {
	n.t.Helper()
	var got []string
	for _, line := range n.journal.take() {
		if strings.Contains(line, text) {
			got = append(got, line)
		}
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || !strings.Contains(got[i], want[i]) {
			n.t.Fatalf("told:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// A feed of events that ends again and again, although containerd answers, is told of
// once, is begun again, and that it lasts is told, too.
func TestFeedEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, 1, "")
		n.feed()
		ends := make(chan error)
		n.wrap = func(s prune.Store) prune.Store { return broken{s, ends} }
		n.start()
		n.journal.take()
		for range 5 {
			ends <- errors.New("the stream broke")
			sleep(2 * watchAgain)
		}
		n.toldOfUse(`step="following containerd's events" error="following containerd's events: the stream broke"`)
		n.has("ctr_prune_use_failing 1", "ctr_prune_containerd_up 1")
		sleep(2 * time.Minute)
		n.toldOfUse(`works again" step="following`)
		n.has("ctr_prune_use_failing 0")
		n.stop()
	})
}

// broken is a store whose feeds end.
type broken struct {
	prune.Store
	ends chan error
}

func (b broken) Events() events.Subscriber { return b }

func (b broken) Subscribe(ctx context.Context, _ ...string) (<-chan *events.Envelope, <-chan error) {
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		select {
		case err := <-b.ends:
			failed <- err
		case <-ctx.Done():
		}
	}()
	return nil, failed
}
