package outage

import (
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

func TestMain(m *testing.M) { os.Exit(programs.Main(m, nil)) }
