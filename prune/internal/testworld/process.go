package testworld

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
)

// Process is a procfs in which this process started at that tick: the same PID
// with another start is a process that is gone.
func Process(t *testing.T, start uint64) proc.Procfs {
	t.Helper()
	dir := t.TempDir()
	write := func(path, text string) {
		full := filepath.Join(dir, path)
		Must(0, os.MkdirAll(filepath.Dir(full), 0o700))
		Must(0, os.WriteFile(full, []byte(text), 0o600))
	}
	stat := fmt.Sprintf("(ctr-prune) S%s %d 0 0\n", strings.Repeat(" 7", 18), start)
	write("sys/kernel/random/boot_id", "5a2c0e5f-7b5c-4a58-9d3c-0d4f4c6a1b11\n")
	write("1/stat", "1 "+stat)
	write(fmt.Sprintf("%d/stat", os.Getpid()), fmt.Sprintf("%d %s", os.Getpid(), stat))
	Must(0, os.MkdirAll(filepath.Join(dir, "self/ns"), 0o700))
	Must(0, os.Symlink("pid:[4026531836]", filepath.Join(dir, "self/ns/pid")))
	return proc.Procfs{Root: dir}
}
