package daemon_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// mountInside leaves a mount in the daemon's folder, as a task that nobody
// ended does. An ordinary user's daemon mounts in a namespace of its own,
// which ends with it.
func mountInside(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	at := filepath.Join(dir, "state", "rootfs")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", at, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
}
