package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/screen"
)

// filled is the root of a store with a scene.
func filled(t *testing.T, scene string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "root")
	store, err := imagestore.OpenEmbedded(context.Background(), root, "native")
	if err != nil {
		t.Fatal(err)
	}
	if err := scenes()[scene](store); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return root
}

// browsed starts browse on a root, on a terminal of that size.
func browsed(t *testing.T, root string, width, height int, env ...string) *screen.Screen {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{
		Path: self, Args: []string{"ctr-prune", "browse", "--root", root}, // the name is the command, see TestMain
		Env: append([]string{"TERM=xterm-256color", "LANG=C.UTF-8", "HOME=" + t.TempDir(), "CTR_PRUNE_STATE=" + t.TempDir()}, env...),
	}
	return screen.Start(t, cmd, width, height)
}

// What is marked is planned, removed and gone, at three sizes; what is in use stays and
// says by whom.
func TestBrowse(t *testing.T) {
	for _, size := range [][2]int{{40, 12}, {80, 24}, {160, 50}} {
		root := filled(t, "node")
		s := browsed(t, root, size[0], size[1])
		s.Await("default/", "Nothing is marked")
		s.Press("/web\r")
		s.Await("> ", "in use by")
		s.Press(" ")
		s.Await("Marked 1: frees 0B", "Stays: ")
		s.Press("c/app\r")
		s.Await("app:1")
		s.Press(" ")
		s.Await("Marked 1: frees ", "Held: ")
		s.Press("\r")
		s.Await("y remove")
		s.Press("y")
		s.Await("Total reclaimed space", "esc back")
		s.Press("\x1b")
		s.Await("default/", "Nothing is marked")
		s.Press("/app\r")
		s.Await("No image has")
		s.Press("q")
		if code := s.Ended(); code != 0 || !s.Restored() {
			t.Errorf("exit code %d, terminal restored: %v\n%s", code, s.Restored(), s.Text())
		}
	}
}

// What is removed with a grace is restored by u.
func TestBrowseUndoes(t *testing.T) {
	s := browsed(t, filled(t, "node"), 100, 30)
	s.Await("default/", "Nothing is marked")
	s.Press("u")
	s.Await("nothing to undo")
	s.Press("/app\r \r")
	s.Await("g with undo")
	s.Press("g")
	s.Await("Kept until")
	s.Press("\x1b")
	s.Await("Nothing is marked")
	s.Press("u")
	s.Await("docker.io/library/app:1", "y restore")
	s.Press("y")
	s.Await("Restored 2 images")
	s.Press("\x1b")
	s.Await("Nothing is marked")
	s.Press("/app\r")
	s.Await("docker.io/library/app:1")
	s.Press("q")
	if code := s.Ended(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// The names of an image in k8s.io go together.
func TestBrowseWholeUnits(t *testing.T) {
	s := browsed(t, filled(t, "k8s"), 120, 24)
	s.Await("k8s.io/", "Nothing is marked")
	s.Press("/coredns\r ")
	s.Await("removes 3 names of 1 image")
	s.Press("\r")
	s.Await("sha256:", "registry.k8s.io/coredns:1.12", "Would remove 3 of 3")
	s.Press("nq")
	if code := s.Ended(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A terminal that cannot move its cursor, or none, is told what to use instead.
func TestBrowseNeedsATerminal(t *testing.T) {
	root := filled(t, "empty")
	s := browsed(t, root, 80, 24, "TERM=dumb")
	if code := s.Ended(); code != exitUsage || !strings.Contains(s.Text(), "use ctr-prune df") {
		t.Errorf("dumb: exit code %d\n%s", code, s.Text())
	}
	f := newFake("")
	if code := f.main("browse", "--root", root); code != exitUsage || strings.Count(f.err.String(), "\n") != 1 || !strings.Contains(f.err.String(), "use ctr-prune df") {
		t.Errorf("no terminal: exit code %d\n%s", code, f.err)
	}
}

// Without colour and without UTF-8 the screen has neither.
func TestBrowseWithoutColour(t *testing.T) {
	s := browsed(t, filled(t, "node"), 80, 24, "NO_COLOR=1", "LANG=C")
	s.Await("default/", "Nothing is marked", "----")
	s.Press("\x1b[C ")
	s.Await("Marked")
	if text := s.Text(); strings.IndexFunc(text, func(r rune) bool { return r > '~' }) >= 0 || s.Styled() {
		t.Errorf("styled %v:\n%s", s.Styled(), text)
	}
	s.Press("q")
	s.Ended()
}

// Ctrl-C, and a signal, end it with 130 and one sentence, and give the terminal back.
func TestBrowseInterrupted(t *testing.T) {
	for _, how := range []func(*screen.Screen){
		func(s *screen.Screen) { s.Press("\x03") },
		func(s *screen.Screen) { s.Signal(syscall.SIGTERM) },
	} {
		s := browsed(t, filled(t, "node"), 80, 24)
		s.Await("Nothing is marked")
		how(s)
		if code := s.Ended(); code != exitInterrupted || !s.Restored() || !strings.Contains(s.Text(), "ctr-prune: interrupted") {
			t.Errorf("exit code %d, restored %v\n%s", code, s.Restored(), s.Text())
		}
	}
}

// A root that may only be read is browsed, and says why nothing can be removed from it.
func TestBrowseReadOnly(t *testing.T) {
	root := filled(t, "node")
	readOnly(t, root)
	s := browsed(t, root, 80, 24)
	s.Await("Nothing is marked")
	s.Press("/app\r \r")
	s.Await("y remove")
	s.Press("y")
	s.Await("Nothing was removed")
	s.Press("\x1b")
	s.Await("Marked 1")
	s.Press("q")
	if code := s.Ended(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// readOnly mounts a folder read-only on itself until the test ends.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may mount")
	}
	for _, flags := range []uintptr{syscall.MS_BIND, syscall.MS_BIND | syscall.MS_REMOUNT | syscall.MS_RDONLY} {
		if err := syscall.Mount(dir, dir, "", flags, ""); err != nil {
			t.Fatal(err)
		}
		if flags == syscall.MS_BIND {
			t.Cleanup(func() {
				if err := syscall.Unmount(dir, 0); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
