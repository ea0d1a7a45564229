package behaviour_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/screen"
)

// browse starts the tree of the store of an address.
func browse(t *testing.T, args ...string) *screen.Screen {
	t.Helper()
	cmd := command(append([]string{"browse"}, args...)...)
	cmd.Env = append(cmd.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8")
	s := screen.Start(t, cmd, 120, 40)
	s.Await("default/", "Nothing is marked")
	return s
}

// On a real containerd what is marked is removed, with what the foot said that it frees;
// an undo brings back what was removed with a grace; and Ctrl-C ends a run in order.
func TestBrowse(t *testing.T) {
	t.Parallel()
	s := newSubject(t, parts.Containerd24, false)
	var going []string
	for _, img := range s.several()[1:4] {
		going = append(going, img.Name)
	}
	s.ready()
	before := names(s.state(), "default")
	tree := browse(t, s.where()...)
	for _, name := range going[:2] {
		tree.Press("/" + name + "\r")
		tree.Await("> ", name+": unused")
		tree.Press(" ")
	}
	tree.Await("Marked 2: frees ", "Held: ")
	tree.Press("\r")
	tree.Await("Would remove 2 of ", "g with undo")
	tree.Press("g")
	tree.Await("Kept until")
	checkGone(t, before, names(s.state(), "default"), going[:2])
	tree.Press("\x1b")
	tree.Await("Nothing is marked")
	tree.Press("u")
	tree.Await("y restore", going[0], going[1])
	tree.Press("y")
	tree.Await("Restored 2 images")
	checkGone(t, before, names(s.state(), "default"), nil)
	tree.Press("\x1b")
	tree.Await("Nothing is marked")
	tree.Press("q")
	if code := tree.Ended(); code != programs.ExitDone || !tree.Restored() {
		t.Errorf("exit code %d, terminal restored: %v\n%s", code, tree.Restored(), tree.Text())
	}
	s.testBrowseInterrupted(before)
}

// checkGone checks which names are left.
func checkGone(t *testing.T, before, after, gone []string) {
	t.Helper()
	want := slices.DeleteFunc(slices.Clone(before), func(name string) bool { return slices.Contains(gone, name) })
	if !slices.Equal(want, after) {
		t.Fatalf("left are %q, want %q", after, want)
	}
}

func (s *subject) testBrowseInterrupted(before []string) {
	t := s.t
	proxy := s.newProxy()
	held := proxy.hold(callDeleteImage, 5, true)
	tree := browse(t, "--address", proxy.address)
	tree.Press(" ")
	tree.Await("Marked ", "frees ")
	tree.Press("\r")
	tree.Await("y remove")
	tree.Press("y")
	await(t, "the fifth deletion", held.reached)
	tree.Press("\x03")
	tree.Await("Stopping in order")
	await(t, "the end of the call", held.left)
	held.release()
	if code := tree.Ended(); code != programs.ExitInterrupted || !tree.Restored() {
		t.Errorf("exit code %d, terminal restored: %v", code, tree.Restored())
	}
	left := names(s.state(), "default")
	tree.Await(fmt.Sprintf("ctr-prune: interrupted after %d of ", len(before)-len(left)), "run it again for the rest")
	if len(left) == len(before) {
		t.Errorf("nothing was removed before: %q", left)
	}
}
