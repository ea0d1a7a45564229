package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/log"
)

// program is the command under test, and scale what weighs it; both are built
// once for all tests.
var program, scale string

func TestMain(m *testing.M) {
	// containerd's packages warn of what they would only prefer to have.
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
	os.Exit(withPrograms(m.Run))
}

func withPrograms(run func() int) int {
	dir, err := os.MkdirTemp("", "hostile")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, scale = filepath.Join(dir, "ctr-prune"), filepath.Join(dir, "weigh")
	for path, pkg := range map[string]string{program: "cmd/ctr-prune", scale: "integration/hostile/weigh"} {
		build := exec.Command("go", "build", "-o", path, "github.com/ctr-prune/ctr-prune/"+pkg)
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "building", pkg+":", err)
			return 1
		}
	}
	return run()
}
