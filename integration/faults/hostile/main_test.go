package hostile

import (
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// program is the command under test, and scale what weighs it; both are built
// once for all tests.
var program, scale string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, map[*string]string{&program: programs.Command, &scale: "integration/faults/hostile/weigh"}))
}
