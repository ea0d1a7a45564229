package root

import (
	"os"
	"testing"

	"github.com/containerd/log"

	"github.com/ctr-prune/ctr-prune/integration/bed/built"
)

// program is the command under test, built once for all tests.
var program string

func TestMain(m *testing.M) {
	if root := os.Getenv(victimRoot); root != "" {
		if err := log.SetLevel("error"); err != nil {
			panic(err)
		}
		os.Exit(beVictim(root))
	}
	os.Exit(built.Main(m, map[*string]string{&program: built.Command}))
}
