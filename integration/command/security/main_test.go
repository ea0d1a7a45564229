package security

import (
	"fmt"
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// program is the command under test, built once for all tests.
var program string

func TestMain(m *testing.M) {
	if out := os.Getenv(jailWritable); out != "" {
		fmt.Fprintln(os.Stderr, "the command could not be jailed:", jail(out, os.Args[1:]))
		os.Exit(125)
	}
	os.Exit(programs.Main(m, map[*string]string{&program: programs.Command}))
}
