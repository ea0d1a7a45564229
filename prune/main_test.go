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
