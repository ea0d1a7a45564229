package security

import (
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// sources copies what the program is built from into a new folder.
func sources(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"cmd", "filters", "leases", "prune", "go.mod", "go.sum", "Makefile", "LICENSE"} {
		do(t, exec.CommandContext(t.Context(), "cp", "-r", filepath.Join("../../..", path), dir))
	}
	return dir
}

// made runs make build in a folder and returns the checksum of the program.
func made(t *testing.T, dir string, env ...string) [sha256.Size]byte {
	t.Helper()
	build := exec.CommandContext(t.Context(), "make", "build", "VERSION=v1.2.3")
	build.Dir = dir
	build.Env = append(append(os.Environ(), "GOFLAGS=-buildvcs=auto"), env...)
	do(t, build)
	data, err := os.ReadFile(filepath.Join(dir, "bin", "ctr-prune"))
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(data)
}

// One version gives the same bytes: in another folder, in a checkout with a
// history or without, at another place in the world.
func TestReproducibleBuild(t *testing.T) {
	one, two := sources(t, "one"), sources(t, "a-folder-of-another-name")
	git := func(args ...string) error {
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.org"}, args...)...)
		cmd.Dir = two
		return cmd.Run()
	}
	if err := errors.Join(git("init", "-q"), git("add", "."), git("commit", "-q", "-m", "x")); err != nil {
		t.Fatalf("making a checkout: %v", err)
	}
	env := []string{"TZ=Pacific/Auckland", "LC_ALL=C"}
	if os.Getenv("SOAK") != "" {
		// Nothing that was compiled before.
		env = append(env, "GOCACHE="+t.TempDir())
	}
	if a, b := made(t, one, "TZ=UTC"), made(t, two, env...); a != b {
		t.Errorf("two builds differ: %x and %x", a, b)
	}
}
