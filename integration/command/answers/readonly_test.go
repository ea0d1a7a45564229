package answers_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// A root on a file system that is mounted read-only can be looked at, and what is
// told is the same; what would change it is refused in one sentence.
func TestReadOnlyRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount")
	}
	t.Parallel()
	n := newNode(t, parts.Containerd24, true)
	look := func() (told []string) {
		for _, args := range [][]string{
			{"--all", "--ingests=24h", "--dry-run"}, {"df", "-v"}, {"explain", "--all", "used:1"}, {"leases"}, {"runs"}, {"check", "--verify"},
		} {
			text := n.run(0, append(args, "--format", "json")...).Stdout
			told = append(told, readAt.ReplaceAllString(strings.ReplaceAll(text, n.where()[1], ""), ""))
		}
		return told
	}
	want := look()
	n.at = mountedReadOnly(t, n.daemon.Root())
	if diff := cmp.Diff(want, look()); diff != "" {
		t.Errorf("read-only (-writable +read-only):\n%s", diff)
	}
	says := "ctr-prune: cannot open the containerd root \"" + n.at + "\": io.containerd.content.v1.content is on a file system that is mounted read-only; mount it writable\n"
	for _, args := range [][]string{{"--all", "--force"}, {"--all", "--force", "--no-guard"}, {"check", "--repair"}, {"leases", "prune", "--force"}, {"undo"}} {
		if r := n.run(4, args...); r.Stderr != says || r.Stdout != "" {
			t.Errorf("%q: %q, %q", args, r.Stdout, r.Stderr)
		}
	}
}

var readAt = regexp.MustCompile(`"time": *"[^"]*"`)

// mountedReadOnly mounts a directory at a place where nothing can be written.
func mountedReadOnly(t *testing.T, dir string) string {
	t.Helper()
	at := t.TempDir()
	if err := unix.Mount(dir, at, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	return at
}
