package root

import (
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// program is the command under test, built once for all tests.
var program string

func TestMain(m *testing.M) {
	if root := os.Getenv(childRoot); root != "" {
		programs.Quiet()
		os.Exit(runChild(root))
	}
	os.Exit(programs.Main(m, map[*string]string{&program: programs.Command}))
}
