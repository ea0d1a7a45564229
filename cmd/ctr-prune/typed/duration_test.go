package typed

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	var d time.Duration
	value := NewDuration(&d, 10*time.Second)
	if d != 10*time.Second || value.String() != "10s" || value.Type() != "duration" {
		t.Errorf("%v: %s, %s", d, value, value.Type())
	}
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond, "-1m": -time.Minute,
		"2d": 48 * time.Hour, "1d12h": 36 * time.Hour, "1w": 7 * 24 * time.Hour,
	} {
		if err := value.Set(text); err != nil || d != want {
			t.Errorf("%s: %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"", "3", "3x", "soon", "d"} {
		if err := value.Set(text); err == nil {
			t.Errorf("%q is taken for %v", text, d)
		}
	}
}
