package daemon

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Where root and state are on any node.
const (
	standardRoot  = "/var/lib/containerd"
	standardState = "/run/containerd"
)

// Root is the persistent folder, what ctr-prune's --root takes.
func (d *Daemon) Root() string {
	if d.opts.Standard {
		return standardRoot
	}
	return filepath.Join(d.dir, "root")
}

// State is the folder of run-time state.
func (d *Daemon) State() string {
	if d.opts.Standard {
		return standardState
	}
	return filepath.Join(d.dir, "state")
}

// Address is the path of the socket.
func (d *Daemon) Address() string {
	if d.opts.Standard {
		return filepath.Join(standardState, "containerd.sock")
	}
	return address(d.dir)
}

// standard lets the daemon find its folders in the usual places. They are in that of
// the daemon still, so that what is left of a test that died is found.
func (d *Daemon) standard() error {
	var errs []error
	for name, place := range map[string]string{"root": standardRoot, "state": standardState} {
		folder := filepath.Join(d.dir, name)
		errs = append(errs, os.Mkdir(folder, 0o711), os.MkdirAll(place, 0o711), unix.Mount(folder, place, "", unix.MS_BIND, ""))
	}
	return errors.Join(errs...)
}

// unmountStandard undoes that.
func (d *Daemon) unmountStandard() error {
	if !d.opts.Standard {
		return nil
	}
	return errors.Join(unmountBelow(standardState), unmountBelow(standardRoot))
}
