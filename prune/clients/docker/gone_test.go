package docker

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Whoever says that Docker is gone is not believed where there is a sign of it.
func TestGone(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for sign, c := range map[string]struct {
		path string
		says string
	}{
		"none":                  {"proc/77/comm", ""},
		"socket":                {"run/docker.sock", "its socket /run/docker.sock exists"},
		"process":               {"proc/78/comm", "dockerd runs as process 78"},
		"unit":                  {"etc/systemd/system/multi-user.target.wants/docker.service", "disable it first"},
		"socket unit":           {"etc/systemd/system/sockets.target.wants/docker.socket", "disable it first"},
		"System V":              {"etc/rc3.d/S01docker", "started with the machine"},
		"unit that is disabled": {"usr/lib/systemd/system/docker.service", ""},
		"image of another unit": {"etc/systemd/system/multi-user.target.wants/dockerish.service", ""},
	} {
		t.Run(sign, func(t *testing.T) {
			text := "dockerd\n"
			if sign == "none" {
				text = "containerd\n"
			}
			machine := fstest.MapFS{"proc/1/comm": file("systemd\n"), c.path: file(text)}
			_, covered, err := Gone(machine, "unix:///run/docker.sock").Uses(t.Context(), prune.Asked{Namespace: &prune.Namespace{Name: "moby"}})
			if c.says == "" {
				if err != nil || !covered {
					t.Errorf("refused: %v", err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.says) || prune.CodeOf(err) != "docker-not-gone" {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
	t.Run("processes that cannot be seen", func(t *testing.T) {
		_, _, err := Gone(fstest.MapFS{}).Uses(t.Context(), prune.Asked{Namespace: &prune.Namespace{Name: "moby"}})
		if err == nil || !strings.Contains(err.Error(), "cannot be seen") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("another namespace", func(t *testing.T) {
		_, covered, err := Gone(fstest.MapFS{}).Uses(t.Context(), prune.Asked{Namespace: &prune.Namespace{Name: "default"}})
		if covered || err != nil {
			t.Error(errors.Join(err, errors.New("it is not Docker's")))
		}
	})
}
