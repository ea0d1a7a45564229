package security

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/containerd/log"
)

// program is the command under test, built once for all tests, where other
// users may run it.
var program string

func TestMain(m *testing.M) {
	if out := os.Getenv(jailWritable); out != "" {
		fmt.Fprintln(os.Stderr, "the command could not be jailed:", jail(out, os.Args[1:]))
		os.Exit(125)
	}
	// containerd's packages warn of what they would only prefer to have.
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
	os.Exit(withProgram(m.Run))
}

func withProgram(test func() int) int {
	dir, err := os.MkdirTemp("", "security")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	program = filepath.Join(dir, "ctr-prune")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "github.com/ctr-prune/ctr-prune/cmd/ctr-prune")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the command:", err)
		return 1
	}
	return test()
}
