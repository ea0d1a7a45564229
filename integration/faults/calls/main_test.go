package calls

import (
	"fmt"
	"os"
	"testing"

	"github.com/containerd/log"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(victimAddress); address != "" {
		fmt.Fprintln(os.Stderr, "the run was to be killed:", beVictim(address))
		os.Exit(1)
	}
	// containerd's packages warn of what they would only prefer to have.
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// long says that nobody waits: the long mode leaves nothing out.
func long() bool { return os.Getenv("SOAK") != "" }
