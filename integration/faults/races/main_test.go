package races

import (
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

func TestMain(m *testing.M) {
	if order := os.Getenv(childOrder); order != "" {
		programs.Quiet()
		os.Exit(beChild(order))
	}
	os.Exit(programs.Main(m, nil))
}
