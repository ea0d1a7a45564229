package check_test

import (
	"testing"

	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// TestMain fails the tests if a goroutine outlives them.
func TestMain(m *testing.M) { tw.Main(m) }
