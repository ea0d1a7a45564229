package built

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/log"
)

// Command is the package of ctr-prune itself.
const Command = "cmd/ctr-prune"

// Main is what a TestMain returns the exit code of: it builds programs once
// for all tests, by where to put a program's path and its folder in the module,
// and runs the tests. Other users may run the programs too.
func Main(m *testing.M, programs map[*string]string) int {
	// containerd's packages warn of what they would only prefer to have.
	err := log.SetLevel("error")
	dir := ""
	if err == nil {
		dir, err = os.MkdirTemp("", "built")
	}
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	for path, pkg := range programs {
		if err == nil {
			*path = filepath.Join(dir, filepath.Base(pkg))
			err = build(*path, pkg)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func build(path, pkg string) error {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, "github.com/ctr-prune/ctr-prune/"+pkg)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building %s: %w", pkg, err)
	}
	return nil
}
