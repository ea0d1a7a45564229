package daemon_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/daemon"
	"github.com/ctr-prune/ctr-prune/integration/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/parts"
)

func TestImagesSurviveKillAndRestart(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		ctx := t.Context()
		d := daemon.Start(t, daemon.Options{Version: version})
		s := d.Store("default")
		b := imagestore.New(1)
		base := b.Image(imagestore.Spec{Name: "docker.io/library/base:1", Layers: 3})
		app := b.Image(imagestore.Spec{Name: "docker.io/library/app:1", Base: base, Layers: 2, Labels: map[string]string{"team": "a"}})
		for _, img := range []*imagestore.Image{base, app} {
			if err := s.Add(ctx, img); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Container(ctx, imagestore.ContainerSpec{ID: "c1", Image: app.Name, Of: app}); err != nil {
			t.Fatal(err)
		}
		for _, again := range []func(){d.Kill, d.Stop} {
			again()
			d.Up()
			names := imageNames(t, d)
			if len(names) != 2 {
				t.Errorf("images after restart: %q, want two", names)
			}
		}
	})
}

func imageNames(t *testing.T, d *daemon.Daemon) []string {
	t.Helper()
	s := d.Store("default")
	list, err := s.Client.ImageService().List(s.Context(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}
