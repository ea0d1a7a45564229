package cause

import (
	"testing"
	"time"
)

// Ages are as people type them.
func TestAges(t *testing.T) {
	for d, want := range map[time.Duration]string{
		24 * time.Hour: "24h", 72 * time.Hour: "72h", 7 * 24 * time.Hour: "7d", 100 * time.Hour: "100h", 90 * time.Minute: "1h30m0s",
	} {
		if got := age(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}
