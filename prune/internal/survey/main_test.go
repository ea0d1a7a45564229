package survey_test

import (
	"testing"

	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestMain(m *testing.M) { tw.Main(m) }
