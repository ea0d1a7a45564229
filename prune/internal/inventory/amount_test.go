package inventory_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

func TestSaturate(t *testing.T) {
	const most = 1<<63 - 1
	for _, c := range []struct{ a, b, want int64 }{
		{0, 0, 0}, {1, 2, 3}, {7, -5, 7}, {0, -1 << 63, 0}, {most, 1, most}, {most - 1, 1, most}, {1, most, most}, {most, most, most}, {most, -1, most},
	} {
		if got := inventory.Saturate(c.a, c.b); got != c.want {
			t.Errorf("%d and %d are %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
