package outage

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

// watcher is a recorder on a daemon, for which a minute is a little more than half
// a second.
type watcher struct {
	*testing.T
	d     *daemon.Daemon
	r     *prune.UseRecorder
	saved chan struct{}
}

func newWatcher(t *testing.T, d *daemon.Daemon) *watcher {
	w := &watcher{T: t, d: d, saved: make(chan struct{}, 1)}
	w.r = &prune.UseRecorder{State: t.TempDir(), Now: time.Now, Told: func(what string, err error) {
		if err != nil && what != "looking at the store" {
			t.Errorf("%s: %v", what, err)
		}
		select {
		case w.saved <- struct{}{}:
		default:
		}
	}}
	w.r.Clock.After = func(d time.Duration) <-chan time.Time { return time.After(d / 100) }
	return w
}

// watch runs the recorder until the function returns, and returns why it ended.
func (w *watcher) watch(do func(end context.CancelFunc)) error {
	w.Helper()
	store, err := prune.Open(w.Context(), w.d.Address())
	if err != nil {
		w.Fatal(err)
	}
	defer store.Close()
	ctx, end := context.WithCancel(w.Context())
	defer end()
	ended := make(chan error, 1)
	go func() { ended <- w.r.Run(ctx, store) }()
	do(end)
	return <-ended
}

// kept is what the file says of an image.
func (w *watcher) kept(img *imagestore.Image) (at time.Time, by string) {
	w.Helper()
	store, err := prune.Open(w.Context(), w.d.Address())
	if err != nil {
		w.Fatal(err)
	}
	defer store.Close()
	info, err := store.Info(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	view, err := prune.ReadLastUse(w.Context(), w.r.State, info.ID)
	if err != nil {
		w.Fatal(err)
	}
	use := view.Last("default", img.Target.Digest, time.Now())
	return use.At, use.By
}

// await waits until the file says that an image was used after a time.
func (w *watcher) await(what string, img *imagestore.Image, after time.Time) {
	w.Helper()
	for {
		if at, by := w.kept(img); at.After(after) {
			w.Logf("%s: last used %s by %s", what, at, by)
			return
		}
		select {
		case <-w.saved:
		case <-w.Context().Done():
			w.Fatalf("%s: its use is not known", what)
		}
	}
}

// Real containers that are created and removed are noted while the recorder runs; of
// those that came while it was not, or while containerd restarted, a look tells. The
// recorder changes nothing in the store.
func TestLastUseIsRecorded(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		d := daemon.Start(t, daemon.Options{Version: version})
		builder, ctx := imagestore.New(5), t.Context()
		var all []*imagestore.Image
		for _, name := range []string{"short", "down", "lost"} {
			all = append(all, builder.Image(imagestore.Spec{Name: "docker.io/library/" + name + ":1", Layers: 1, LayerBytes: 1 << 10}))
		}
		must := func(errs ...error) {
			t.Helper()
			for _, err := range errs {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		s := d.Store("default")
		for _, img := range all {
			must(s.Add(ctx, img))
		}
		before := d.Capture().Namespaces["default"].Images
		w := newWatcher(t, d)
		short, down, lost := all[0], all[1], all[2]
		began := time.Now()
		if err := w.watch(func(end context.CancelFunc) {
			<-w.saved
			must(s.NerdctlContainer(ctx, "a", "short-lived", short.Name, short), s.RemoveContainer(ctx, "a"))
			w.await("created and removed", short, began)
			end()
		}); ctx.Err() != nil || err == nil {
			t.Errorf("it ended with %v", err)
		}
		must(s.NerdctlContainer(ctx, "b", "while-down", down.Name, down))
		began = time.Now()
		if err := w.watch(func(context.CancelFunc) {
			w.await("created while nobody watched", down, began)
			must(s.Collect(ctx)) // nothing is half removed
			d.Stop()
		}); err == nil {
			t.Error("containerd is gone, and nothing is told")
		}
		d.Up()
		must(d.Store("default").NerdctlContainer(ctx, "c", "before-the-look", lost.Name, lost))
		began = time.Now()
		_ = w.watch(func(end context.CancelFunc) { // it ends with the context
			w.await("its event was lost", lost, began)
			end()
		})
		if diff := cmp.Diff(before, d.Capture().Namespaces["default"].Images); diff != "" {
			t.Errorf("the recorder has changed the store (-before +after):\n%s", diff)
		}
	})
}
