package daemon

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// wipe ends and removes all that the containerd of a folder has left, and the
// folder. It returns what was still running.
func wipe(dir string) (ended []string, err error) {
	ended, err = endLeavings(dir)
	return ended, errors.Join(err, removeCgroups(dir), removeRuncStates(dir), removeSockets(dir), unmountBelow(dir), removeAll(dir))
}

// removeRuncStates removes what runc noted about containers of a folder's
// daemon. It does so itself only for a container that is deleted.
func removeRuncStates(dir string) error {
	files, err := filepath.Glob("/run/containerd/runc/*/*/state.json")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), `"bundle=`+dir+"/") {
			continue // it is gone, or another daemon's
		}
		if err := os.RemoveAll(filepath.Dir(file)); err != nil {
			return fmt.Errorf("removing what runc has noted: %w", err)
		}
	}
	return nil
}

// removeSockets removes where the shims of a folder's daemon listen, which they
// do outside of it, unless they ended in good order.
func removeSockets(dir string) error {
	bundles, err := filepath.Glob(filepath.Join(dir, "state", "io.containerd.runtime.v2.task", "*", "*"))
	errs := []error{err}
	for _, bundle := range bundles {
		namespace, id := filepath.Split(bundle)
		errs = append(errs, removeSocket(dir, filepath.Base(namespace), id))
	}
	return errors.Join(errs...)
}

// removeSocket removes the socket of one shim if it is there. containerd names
// it by a hash of whom the shim serves.
func removeSocket(dir, namespace, id string) error {
	name := sha256.Sum256([]byte(filepath.Join(address(dir), namespace, id)))
	err := os.Remove(filepath.Join("/run/containerd/s", hex.EncodeToString(name[:])))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
