package prune

import (
	"testing"

	"github.com/containerd/log"
	"go.uber.org/goleak"
)

// TestMain fails the package's tests if a goroutine outlives them.
func TestMain(m *testing.M) {
	must(0, log.SetLevel("error")) // containerd's packages tell of every odd label
	goleak.VerifyTestMain(m)
}

// notUnderRace leaves a test out of the short mode, which is that of `make race`: at
// its sizes it takes a minute there, and all of it is done by one goroutine.
func notUnderRace(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one goroutine does all of it: the race detector has nothing to find")
	}
}
