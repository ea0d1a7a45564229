package daemon_test

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// Whatever a test does to containerd under a running container, nothing of the
// container is left when the test is over.
func TestContainersEndWithTheirTest(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		for name, leave := range map[string]func(*guest){
			"running":            func(*guest) {},
			"containerd stopped": func(g *guest) { g.Stop() },
			"containerd killed":  func(g *guest) { g.Kill() },
			"shim killed as well": func(g *guest) {
				g.Kill()
				g.must(unix.PidfdSendSignal(g.processes["the shim"], unix.SIGKILL, nil, 0))
			},
			"paused": func(g *guest) {
				g.must(g.task.Pause(g.ctx))
				g.Kill()
			},
			// As if it had been killed before it had noted where the shim listens.
			"containerd lost sight of it": func(g *guest) {
				g.Kill()
				g.must(os.Remove(g.whereShim()))
				g.Up()
			},
		} {
			t.Run(name, func(t *testing.T) { leave(run(t, version)) })
		}
	})
}
