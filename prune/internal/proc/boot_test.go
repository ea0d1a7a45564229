package proc

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBootTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"cpu  1 2 3\nintr 7 0 0\nctxt 9\nbtime 1767225600\nprocesses 5\n": time.Unix(1767225600, 0),
		"cpu  1 2 3\n":     {},
		"btime tomorrow\n": {},
		"guest btime 1\n":  {},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "stat"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := (Procfs{Root: dir}).BootTime(); !got.Equal(want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
	if got := (Procfs{Root: t.TempDir()}).BootTime(); !got.IsZero() {
		t.Errorf("without procfs: %v", got)
	}
	if got := (Procfs{}).BootTime(); got.IsZero() || got.After(time.Now()) {
		t.Errorf("this machine was started %v", got)
	}
}
