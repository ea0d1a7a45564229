package embedded

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/log"
)

// program is the command under test, built once for all tests.
var program string

func TestMain(m *testing.M) {
	// containerd's packages warn of what they would only prefer to have.
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
	if root := os.Getenv(victimRoot); root != "" {
		os.Exit(beVictim(root))
	}
	os.Exit(withBinary(m.Run))
}

func withBinary(test func() int) int {
	dir, err := os.MkdirTemp("", "embedded")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "ctr-prune")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "github.com/ctr-prune/ctr-prune/cmd/ctr-prune")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the command:", err)
		return 1
	}
	return test()
}
