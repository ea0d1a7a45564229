package daemon_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/moby/sys/mountinfo"
)

func TestStoreSurvivesStopKillAndRestart(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		d := daemon.Start(t, daemon.Options{Version: version})
		fill(t, d, "app:1", "app:2")
		first := d.PID()
		for name, restart := range map[string]func(){
			"stop":    func() { d.Stop(); d.Up() },
			"kill":    func() { d.Kill(); d.Up() },
			"restart": func() { d.Restart() },
		} {
			restart()
			if got, want := names(t, d), []string{"app:1", "app:2"}; !slices.Equal(got, want) {
				t.Errorf("images after %s: %q, want %q", name, got, want)
			}
		}
		if d.PID() == first {
			t.Error("the daemon was never restarted")
		}
	})
}

func TestPausedDaemonDoesNotAnswer(t *testing.T) {
	d := daemon.Start(t, daemon.Options{})
	c := d.Client("default")
	if _, err := c.Version(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if v, err := c.Version(ctx); err == nil || ctx.Err() == nil {
		t.Errorf("a paused daemon answered: %v, %v", v, err)
	}
	d.Continue()
	if _, err := c.Version(t.Context()); err != nil {
		t.Errorf("after Continue: %v", err)
	}
}

func TestPausedDaemonCanBeKilled(t *testing.T) {
	d := daemon.Start(t, daemon.Options{})
	d.Pause()
	d.Kill()
	if d.Running() {
		t.Error("the daemon still runs")
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	var dir string
	t.Run("a daemon with a mounted snapshot", func(t *testing.T) {
		d := daemon.Start(t, daemon.Options{})
		dir = d.Dir()
		fill(t, d, "app:1")
		mountInside(t, dir)
	})
	if dir == "" {
		t.Skip("no daemon could be started")
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil || len(mounts) > 0 {
		t.Errorf("mounts left: %v, %v", mounts, err)
	}
}

func TestClone(t *testing.T) {
	d := daemon.Start(t, daemon.Options{})
	fill(t, d, "app:1")
	c := d.Clone(t)
	fill(t, c, "only-in-the-clone:1")
	if got := names(t, d); !slices.Equal(got, []string{"app:1"}) {
		t.Errorf("the original has %q", got)
	}
	if got := names(t, c); !slices.Equal(got, []string{"app:1", "only-in-the-clone:1"}) {
		t.Errorf("the clone has %q", got)
	}
}

func TestImagesAddedOfflineAreThere(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		d := daemon.Start(t, daemon.Options{Version: version})
		img := imagestore.New(3).Image(imagestore.Spec{Name: "offline:1", Layers: 2})
		d.Offline(func(e *imagestore.Embedded) error {
			return e.Store("default").Add(t.Context(), img)
		})
		got, err := d.Client("default").GetImage(d.Store("default").Context(t.Context()), "offline:1")
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := got.IsUnpacked(t.Context(), d.Snapshotter()); !ok || err != nil {
			t.Errorf("IsUnpacked = %v, %v", ok, err)
		}
	})
}

// fill adds an image of two layers under each of the names.
func fill(t *testing.T, d *daemon.Daemon, names ...string) {
	t.Helper()
	b := imagestore.New(1)
	for _, name := range names {
		if err := d.Store("default").Add(t.Context(), b.Image(imagestore.Spec{Name: name, Layers: 2})); err != nil {
			t.Fatal(err)
		}
	}
}

func names(t *testing.T, d *daemon.Daemon) []string {
	t.Helper()
	s := d.Store("default")
	list, err := s.Client.ImageService().List(s.Context(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, i := range list {
		out = append(out, i.Name)
	}
	return out
}
