package security

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// jailWritable makes this program one that makes all mounts read-only but that
// folder, and then becomes the command that is given to it.
const jailWritable = "SECURITY_JAIL_WRITABLE"

// jail runs in a mount namespace of its own. It returns only on errors.
func jail(writable string, args []string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping the mounts to oneself: %w", err)
	}
	if err := unix.Mount(writable, writable, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting %s onto itself: %w", writable, err)
	}
	fixed := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &fixed); err != nil {
		return fmt.Errorf("making all mounts read-only: %w", err)
	}
	free := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, writable, 0, &free); err != nil {
		return fmt.Errorf("making %s writable: %w", writable, err)
	}
	return syscall.Exec(args[0], args, os.Environ())
}

// jailed is the command in such a jail.
func jailed(t *testing.T, writable string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{program}, args...)...)
	cmd.Env = []string{jailWritable + "=" + writable}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	return cmd
}
