package disk

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/log"
)

// binary is the command under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	if moment := os.Getenv(childMoment); moment != "" {
		os.Exit(beChild(moment))
	}
	// containerd's packages warn of what they would only prefer to have.
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
	os.Exit(withBinary(m.Run))
}

func withBinary(test func() int) int {
	dir, err := os.MkdirTemp("", "disk")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "ctr-prune")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", binary, "github.com/ctr-prune/ctr-prune/cmd/ctr-prune")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the command:", err)
		return 1
	}
	return test()
}
