package races

import (
	"os"
	"testing"

	"github.com/containerd/log"
)

func TestMain(m *testing.M) {
	// containerd's packages warn of what they would only prefer to have.
	if err := log.SetLevel("error"); err != nil {
		panic(err)
	}
	if order := os.Getenv(childOrder); order != "" {
		os.Exit(beChild(order))
	}
	os.Exit(m.Run())
}
