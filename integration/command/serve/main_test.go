package serve

import (
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// binary is the command under test, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, map[*string]string{&binary: programs.Command}))
}
