package security

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// filled starts a daemon with one image in use and n that are not.
func filled(t *testing.T, n int) *daemon.Daemon {
	t.Helper()
	d := daemon.Start(t, daemon.Options{NoSync: true})
	builder, s := imagestore.New(1), d.Store("default")
	for i := range n + 1 {
		img := builder.Image(imagestore.Spec{Layers: 1, LayerBytes: 1 << 10})
		err := s.Add(t.Context(), img, "docker.io/library/"+string(rune('a'+i))+":1")
		if err == nil && i == 0 {
			err = s.NerdctlContainer(t.Context(), "used", "used", "docker.io/library/a:1", img)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// do runs a command and fails the test unless it ends with 0.
func do(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%q: %v\n%s%s", cmd.Args, err, out.String(), errs.String())
	}
	return out.String()
}

// modes lists what is below a folder.
func modes(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := e.Info()
		if err == nil {
			found[filepath.Base(path)] = info.Mode().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// commands are the ways to use a store, in an order in which they all work,
// with the files that they write into out.
func commands(out string) [][]string {
	at := func(name string) string { return filepath.Join(out, name) }
	return [][]string{
		{"df", "--html", at("df.html")}, {"check"}, {"explain", "docker.io/library/a:1"}, {"leases"}, {"runs"},
		{"plan", "--all", "-o", at("plan.json"), "--html", at("plan.html")},
		{"--all", "--dry-run", "--html", at("dry.html")},
		{"--all", "--force", "--grace", "1h", "--filter", "reference=b:1"}, {"undo"},
		{"apply", "--force", at("plan.json")},
		{"--all", "--force", "--no-guard", "--html", at("done.html")},
	}
}

var written = map[string]string{
	"df.html": "-rw-------", "plan.json": "-rw-------", "plan.html": "-rw-------", "dry.html": "-rw-------", "done.html": "-rw-------",
}

// The command writes the files that it is told to write, for their owner
// alone, and nothing in its folder, its home, or where temporary files go.
func TestOnlyItsFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	d := filled(t, 3)
	out, home := t.TempDir(), t.TempDir()
	if err := os.Chmod(out, 0o700); err != nil { // a plan in a folder of all is not believed
		t.Fatal(err)
	}
	for _, args := range commands(out) {
		cmd := exec.CommandContext(t.Context(), program, append(args, "--address", d.Address())...)
		cmd.Dir = home
		cmd.Env = []string{"HOME=" + home, "TMPDIR=" + home, "XDG_CACHE_HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home}
		do(t, cmd)
	}
	if diff := cmp.Diff(written, modes(t, out)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if left := modes(t, home); len(left) > 0 {
		t.Errorf("left elsewhere: %v", left)
	}
}

// It does all that where nothing else can be written.
func TestOnlyItsFilesCanBeWritten(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can make the mounts of a process read-only")
	}
	d := filled(t, 3)
	out := t.TempDir()
	for _, args := range commands(out) {
		do(t, jailed(t, out, append(args, "--address", d.Address())...))
	}
	if diff := cmp.Diff(written, modes(t, out)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	// The jail holds: a file outside of it cannot be written.
	cmd := jailed(t, out, "plan", "-o", filepath.Join(t.TempDir(), "plan.json"), "--address", d.Address())
	var said bytes.Buffer
	cmd.Stderr = &said
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(said.String(), "plan.json cannot be written: read-only file system") {
		t.Errorf("writing outside of the jail: %v, %s", err, said.String())
	}
}

// A link at the place of a file is refused before anything is removed.
func TestNeverThroughLinks(t *testing.T) {
	d := filled(t, 1)
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o644), os.Symlink(victim, link)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--all", "--force", "--html", link}, {"plan", "-o", link}, {"plan", "--html", link}, {"df", "--html", link}} {
		before := d.Capture()
		cmd := exec.CommandContext(t.Context(), program, append(args, "--address", d.Address())...)
		var exit *exec.ExitError
		if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != 2 {
			t.Errorf("%q: %v, want exit code 2", args, err)
		}
		if len(d.Capture().Namespaces["default"].Images) != len(before.Namespaces["default"].Images) {
			t.Errorf("%q: it removed something", args)
		}
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("%q, %v", data, err)
	}
}

// A plan that somebody else may have written is not done, unless it is said to
// be meant; that of the one who called sudo is.
func TestPlansOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	d := filled(t, 1)
	plan := filepath.Join(t.TempDir(), "plan.json")
	do(t, exec.Command(program, "plan", "--all", "-o", plan, "--address", d.Address()))
	if err := os.Chown(plan, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	apply := func(env string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), program, append(args, "--force", "--address", d.Address(), plan)...)
		cmd.Env = []string{env}
		return cmd
	}
	for _, env := range []string{"A=b", "SUDO_UID=1", "SUDO_UID=", "SUDO_UID=x"} {
		out, err := apply(env, "apply").CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(out), "this file belongs to user 65534") || strings.Count(string(out), "\n") != 1 {
			t.Errorf("%s: %v, %s", env, err, out)
		}
	}
	if n := len(d.Capture().Namespaces["default"].Images); n != 2 {
		t.Errorf("%d images are left", n)
	}
	do(t, apply("SUDO_UID=65534", "apply", "--dry-run"))
	do(t, apply("A=b", "apply", "--allow-insecure-file"))
	if n := len(d.Capture().Namespaces["default"].Images); n != 1 {
		t.Errorf("%d images are left", n)
	}
}
