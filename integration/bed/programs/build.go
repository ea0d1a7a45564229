package programs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/log"
)

// Command is the package of ctr-prune itself.
const Command = "cmd/ctr-prune"

// Quiet lets containerd's packages not warn of what they would only prefer to
// have. A child of a test calls it; [Main] does, too.
func Quiet() {
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
}

// Main is what a TestMain returns the exit code of: it builds programs once
// for all tests, by where to put a program's path and its folder in the module,
// and runs the tests. Other users may run the programs too.
func Main(m *testing.M, wanted map[*string]string) (code int) {
	Quiet()
	dir, err := os.MkdirTemp("", "programs")
	if err == nil {
		defer os.RemoveAll(dir)
		err = errors.Join(os.Chmod(dir, 0o755), buildAll(dir, wanted))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func buildAll(dir string, wanted map[*string]string) error {
	for path, pkg := range wanted {
		*path = filepath.Join(dir, filepath.Base(pkg))
		if err := build(*path, pkg); err != nil {
			return err
		}
	}
	return nil
}

// Build builds ctr-prune for one test and returns the path of the program.
func Build(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "ctr-prune")
	if err := build(path, Command); err != nil {
		tb.Fatal(err)
	}
	return path
}

// build builds a package without any library that an image would need.
func build(path, pkg string) error {
	cmd := exec.Command("go", "build", "-tags=grpcnotrace,nethttpomithttp2", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, "github.com/ctr-prune/ctr-prune/"+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return nil
}
