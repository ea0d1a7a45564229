package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

const cgroupRoot = "/sys/fs/cgroup"

// CgroupParent is the path of a cgroup for the containers of a client of the
// daemon, which begins with a slash. It goes with the daemon.
func (d *Daemon) CgroupParent(client string) string {
	return "/" + client + "-" + filepath.Base(d.dir)
}

// removeCgroups removes what [Daemon.CgroupParent] named, with the groups in it,
// in all hierarchies of cgroup v1 or in the one of v2: nobody else does.
func removeCgroups(dir string) error {
	names, err := defaultGroups(dir)
	errs := []error{err}
	for _, name := range append(names, "*-"+filepath.Base(dir)) {
		for _, parent := range []string{cgroupRoot, cgroupRoot + "/*"} {
			groups, err := filepath.Glob(filepath.Join(parent, name))
			errs = append(errs, err)
			for _, group := range groups {
				if err := removeGroup(group); err != nil {
					errs = append(errs, fmt.Errorf("removing cgroup %s: %w", group, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// defaultGroups returns the groups of containers whose client named none, as a
// kubelet without cgroups for pods: containerd names them by the namespace and
// the container.
func defaultGroups(dir string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "state", "io.containerd.runtime.v2.task", "*", "*", "config.json"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the container was removed
		}
		var spec struct{ Linux struct{ CgroupsPath string } }
		namespace, id := filepath.Split(filepath.Dir(file))
		name := filepath.Join(filepath.Base(namespace), id)
		if json.Unmarshal(text, &spec) == nil && spec.Linux.CgroupsPath == "/"+name {
			names = append(names, name)
		}
	}
	return names, err
}

// removeGroup removes a group with those in it: only folders can be, and the
// files in them go along.
func removeGroup(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	for _, d := range slices.Backward(dirs) {
		if err == nil {
			err = syscall.Rmdir(d)
		}
	}
	return err
}

// thaw lets a process of a container that was paused go on: with cgroup v1 it
// would not even take a SIGKILL.
func thaw(pid int) error {
	list, err := os.ReadFile(procFile(pid, "cgroup"))
	if err != nil {
		return nil // it is over
	}
	for line := range strings.Lines(string(list)) {
		_, group, ok := strings.Cut(strings.TrimSpace(line), ":freezer:")
		if !ok {
			continue
		}
		file := filepath.Join(cgroupRoot, "freezer", group, "freezer.state")
		state, err := os.OpenFile(file, os.O_WRONLY, 0)
		if errors.Is(err, os.ErrNotExist) {
			continue // the root group cannot be frozen
		}
		if err != nil {
			return err
		}
		_, err = state.WriteString("THAWED")
		if err := errors.Join(err, state.Close()); err != nil {
			return err
		}
	}
	return nil
}
