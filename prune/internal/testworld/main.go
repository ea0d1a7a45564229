package testworld

import (
	"testing"

	"github.com/containerd/log"
	"go.uber.org/goleak"
)

// Main runs the tests of a package, and fails them if a goroutine outlives them.
func Main(m *testing.M) {
	Must(0, log.SetLevel("error")) // containerd's packages tell of every odd label
	goleak.VerifyTestMain(m)
}

// NotUnderRace leaves a test out of the short mode, which is that of `make race`: at
// its sizes it takes a minute there, and all of it is done by one goroutine.
func NotUnderRace(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one goroutine does all of it: the race detector has nothing to find")
	}
}
