package calls

import (
	"fmt"
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(childAddress); address != "" {
		fmt.Fprintln(os.Stderr, "the run was to be killed:", runChild(address))
		os.Exit(1)
	}
	os.Exit(programs.Main(m, nil))
}

// long says that nobody waits: the long mode leaves nothing out.
func long() bool { return os.Getenv("SOAK") != "" }
