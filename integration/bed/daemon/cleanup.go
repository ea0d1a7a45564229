package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// logLines is how much of the log a failed test shows.
const logLines = 60

// cleanup looks once more at the store, ends the daemon and removes all that it left.
func (d *Daemon) cleanup() {
	d.check()
	for _, c := range d.clients {
		// An error here says only that the connection is gone already.
		_ = c.Close()
	}
	if d.Running() {
		d.end(syscall.SIGKILL)
	}
	if d.tb.Failed() {
		d.tb.Logf("end of containerd's log:\n%s", d.logTail())
	}
	err := d.unmountStandard()
	ended, left := wipe(d.dir)
	if err = errors.Join(err, left); err != nil {
		d.tb.Errorf("removing what containerd left: %v", err)
	}
	if len(ended) > 0 {
		d.tb.Logf("containerd left running, and it was ended: %s", strings.Join(ended, ", "))
	}
	d.owner.Close()
}

// logTail returns the end of the log without the dozens of lines about each
// start.
func (d *Daemon) logTail() string {
	log, err := os.ReadFile(d.LogFile())
	if err != nil {
		return err.Error()
	}
	lines := slices.DeleteFunc(strings.Split(string(log), "\n"), func(line string) bool {
		return strings.Contains(line, "loading plugin")
	})
	return strings.Join(lines[max(0, len(lines)-logLines):], "\n")
}

// Unmount detaches what a client that was killed has left mounted in a folder.
func (d *Daemon) Unmount(dir string) {
	d.tb.Helper()
	if err := unmountBelow(dir); err != nil {
		d.tb.Errorf("unmounting what was left in %s: %v", dir, err)
	}
}

// unmountBelow detaches every mount under dir, the newest first. A daemon
// that ran in a namespace of its own has taken its mounts with it.
func unmountBelow(dir string) error {
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return err
	}
	var errs []error
	for i := len(mounts) - 1; i >= 0; i-- {
		if err := unix.Unmount(mounts[i].Mountpoint, unix.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmounting %s: %w", mounts[i].Mountpoint, err))
		}
	}
	return errors.Join(errs...)
}

// removeAll is os.RemoveAll for trees that hold folders nobody may enter, as
// layers do.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return nil // what cannot be seen, the removal below reports
	})
	return errors.Join(err, os.RemoveAll(dir))
}

// Log returns the daemon's log so far.
func (d *Daemon) Log() string {
	d.tb.Helper()
	log, err := os.ReadFile(d.LogFile())
	if err != nil {
		d.tb.Fatal(err)
	}
	return strings.TrimSpace(string(log))
}
