package behaviour_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// Where no containerd answers nothing is made, least of all a store.
func TestUnreachableSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale.sock")
	silent := filepath.Join(dir, "silent.sock")
	listener := listen(t, stale)
	listener.SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	defer listen(t, silent).Close()
	regular := filepath.Join(dir, "regular")
	if err := os.WriteFile(regular, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	for name, c := range map[string]struct{ address, says string }{
		"missing":            {filepath.Join(dir, "missing.sock"), "no such socket"},
		"missing folder":     {filepath.Join(dir, "no", "where.sock"), "no such socket"},
		"nobody listens":     {stale, "nothing listens"},
		"nobody answers":     {silent, "no answer"},
		"a regular file":     {regular, "a regular file"},
		"a folder":           {dir, "a directory"},
		"a network address":  {"tcp://127.0.0.1:1234", "unix sockets"},
		"too long":           {"/" + strings.Repeat("x", 200), "longer than"},
		"empty":              {"", "empty"},
		"hostile characters": {"/tmp/\x1b[31m\nred.sock", `\x1b[31m\nred.sock`},
	} {
		t.Run(name, func(t *testing.T) {
			r := run(t, "--all", "--force", "--connect-timeout", "300ms", "--address", c.address)
			wantSentence(t, r, programs.ExitUnreachable, c.says)
		})
	}
	wantSameTree(t, before, tree(t, dir))
}

func listen(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A user who may not is told so, and by which name to try again.
func TestWithoutPermission(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run the command as somebody else")
	}
	everywhere(t, func(t *testing.T, s *subject) {
		s.added("docker.io/library/a:1", 1)
		s.ready()
		before := s.state()
		r := runAs(t, nobody, append(s.where(), "--all", "--force")...)
		wantSentence(t, r, programs.ExitUnreachable, "permission denied")
		wantSame(t, before, s.state())
	})
}

// nobody is the user and the group of that name on Debian and elsewhere.
const nobody = 65534

func runAs(t *testing.T, id uint32, args ...string) programs.Result {
	t.Helper()
	r := prepare(args...)
	r.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: id, Gid: id}}
	r.begin(t)
	return finish(t, r)
}

// The root of a running daemon is refused, and so is what is no root.
func TestBadRoot(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.added("docker.io/library/a:1", 1)
		s.ready()
		before := s.state()
		wantSentence(t, run(t, "--all", "--force", "--root", s.daemon.Root()), programs.ExitUnreachable, "in use by a running containerd")
		wantSame(t, before, s.state())
		if diff := cmp.Diff([]string{"docker.io/library/a:1"}, names(s.state(), "default")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNoRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(elem ...string) string { return filepath.Join(append([]string{dir}, elem...)...) }
	for _, folder := range []string{at("empty"), at("foreign", "images"), at("docker", "overlay2"),
		at("half", "io.containerd.metadata.v1.bolt"), at("broken", "io.containerd.metadata.v1.bolt"), at("broken", "io.containerd.content.v1.content")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for path, text := range map[string]string{
		at("foreign", "images", "index.json"): "{}", at("file"): "text",
		at("broken", "io.containerd.metadata.v1.bolt", "meta.db"): strings.Repeat("not a database\n", 1000),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := tree(t, dir)
	for name, c := range map[string]struct {
		root, says string
		code       int
	}{
		"missing":          {at("missing"), "no such directory", programs.ExitUnreachable},
		"empty":            {at("empty"), "not a containerd root", programs.ExitUnreachable},
		"foreign":          {at("foreign"), "not a containerd root", programs.ExitUnreachable},
		"Docker's":         {at("docker"), "not a containerd root", programs.ExitUnreachable},
		"without metadata": {at("half"), "not a containerd root", programs.ExitUnreachable},
		"damaged":          {at("broken"), "damaged", programs.ExitUnreachable},
		"a file":           {at("file"), "", programs.ExitUnreachable},
		"no name":          {"", "--root", programs.ExitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			wantSentence(t, run(t, "--all", "--force", "--root", c.root), c.code, c.says)
		})
	}
	wantSentence(t, run(t, "--all", "--force", "--root", dir, "--address", "/x"), programs.ExitUsage, "contradict")
	wantSameTree(t, before, tree(t, dir))
}

// A daemon that stops to answer in the midst of reading is a store that
// cannot be reached.
func TestDaemonGoesAway(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		s.added("docker.io/library/a:1", 1)
		s.ready()
		proxy := s.newProxy()
		held := proxy.hold(callListImages, 1, false)
		r := start(t, proxy.through("--all")...)
		await(t, "the list of images", held.reached)
		s.daemon.Kill()
		held.release()
		wantSentence(t, finish(t, r), programs.ExitUnreachable, "")
		s.daemon.Up()
		s.Store = s.daemon.Store("default")
		if diff := cmp.Diff([]string{"docker.io/library/a:1"}, names(s.state(), "default")); diff != "" {
			t.Error(diff)
		}
	})
}
