package tasks_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/screen"
)

var shots = flag.String("shots", "", "write the pictures of docs/img to this `FOLDER`")

// TestShots writes pictures of terminals: make screenshots. It tests nothing by itself,
// and does nothing unless asked.
func TestShots(t *testing.T) {
	if *shots == "" {
		return
	}
	u := &user{T: t, layer: 1 << 20}
	u.start()
	u.daemon.Stop()
	// Copied, because a picture names no folder of a test.
	if out, err := exec.CommandContext(t.Context(), "cp", "-a", u.daemon.Root(), filepath.Join(u.work, "containerd")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, shot := range []struct {
		name          string
		width, height int
		command       string
		await         []string
		keys          []string
	}{
		{"terminal-plan", 100, 50, "ctr-prune --root containerd --all --keep-last 2 --dry-run", []string{"Would remove"}, nil},
		{"terminal-question", 100, 50, "ctr-prune --root containerd --all --grace 24h", []string{"[y/N/d]"}, nil},
		{"terminal-df", 100, 60, "ctr-prune df --root containerd", []string{"ci.example/build:42"}, nil},
		{"terminal-df-narrow", 40, 60, "ctr-prune df --root containerd", []string{"ci.example"}, nil},
		{"browse", 100, 26, "ctr-prune browse --root containerd", []string{"Nothing is marked"}, []string{"/nginx:1.25\r", "> ", " ", "Marked 1: frees", "/api:1\r", "shop/api:1: unused", " ", "Marked 2: frees"}},
		{"browse-narrow", 40, 18, "ctr-prune browse --root containerd", []string{"default/"}, []string{"/nginx:1.25\r", "> ", " ", "Marked 1: frees"}},
	} {
		t.Run(shot.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), "bash", "-c", "printf '$ %s\\n' \"$1\"; $1", "bash", shot.command)
			cmd.Dir = u.work
			cmd.Env = []string{"PATH=" + u.bin + ":" + os.Getenv("PATH"), "HOME=" + u.work, "LC_ALL=C.UTF-8", "TERM=xterm-256color", "TZ=UTC"}
			s := screen.Start(t, cmd, shot.width, shot.height)
			s.Await(shot.await...)
			for i := 0; i+1 < len(shot.keys); i += 2 {
				s.Press(shot.keys[i])
				s.Await(shot.keys[i+1])
			}
			if shot.keys == nil && shot.name != "terminal-question" {
				s.Ended()
			}
			u.must(os.WriteFile(filepath.Join(*shots, shot.name+".svg"), []byte(s.SVG()), 0o644))
		})
	}
}
