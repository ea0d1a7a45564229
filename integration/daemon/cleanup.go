package daemon

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// logLines is how much of the log a failed test shows.
const logLines = 60

// cleanup ends the daemon and removes all that it left.
func (d *Daemon) cleanup() {
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
	if err := unmountBelow(d.dir); err != nil {
		d.tb.Errorf("unmounting what containerd left: %v", err)
	}
	if err := removeAll(d.dir); err != nil {
		d.tb.Errorf("removing the daemon's folder: %v", err)
	}
}

func (d *Daemon) logTail() string {
	log, err := os.ReadFile(d.LogFile())
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(log, []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-logLines):], []byte("\n")))
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
		errs = append(errs, unix.Unmount(mounts[i].Mountpoint, unix.MNT_DETACH))
	}
	return errors.Join(errs...)
}

// removeAll is os.RemoveAll for trees that hold folders nobody may enter, as
// layers do, and files made immutable by a test.
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
