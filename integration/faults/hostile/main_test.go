package hostile

import (
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/built"
)

// program is the command under test, and scale what weighs it; both are built
// once for all tests.
var program, scale string

func TestMain(m *testing.M) {
	os.Exit(built.Main(m, map[*string]string{&program: built.Command, &scale: "integration/faults/hostile/weigh"}))
}
