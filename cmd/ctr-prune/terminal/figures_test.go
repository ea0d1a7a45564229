package terminal

import (
	"math"
	"testing"
	"time"
)

func TestSizeIsThatOfDocker(t *testing.T) {
	for _, c := range []struct {
		bytes int64
		want  string
	}{
		{0, "0B"},
		{999, "999B"},
		{1000, "1kB"},
		{1024, "1.024kB"},
		{12_345_678, "12.35MB"},
		{1_500_000_000, "1.5GB"},
		{math.MaxInt64, "9.223EB"},
	} {
		if got := Size(c.bytes); got != c.want {
			t.Errorf("Size(%d) = %s, want %s", c.bytes, got, c.want)
		}
	}
}

func TestRoughTimes(t *testing.T) {
	now := noon()
	for d, want := range map[time.Duration]string{
		0: "0s ago", 59 * time.Second: "59s ago", 24*time.Hour - time.Second: "24h ago", 49 * time.Hour: "2d ago",
		2*time.Hour - time.Second: "2h ago", 2*time.Hour - time.Minute: "119m ago", 2*time.Minute - time.Millisecond: "2m ago", 47*time.Hour + 40*time.Minute: "2d ago",
		-time.Minute: "0s ago", -2 * time.Minute: "in 2m", -100 * 24 * time.Hour: "in 100d", 800 * 24 * time.Hour: "2y ago", 119 * time.Second: "119s ago", 3 * time.Minute: "3m ago",
	} {
		if got := Ago(now, now.Add(-d)); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	if got := Until(now, time.Time{}) + "," + Until(now, now.Add(24*time.Hour)) + "," + Ago(now, time.Time{}); got != "never,in 24h,unknown" {
		t.Error(got)
	}
}
