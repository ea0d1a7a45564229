package docker

import (
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
)

// cgroup is the parent of the containers' groups, one for each Engine.
func (e *Engine) cgroup() string { return "/docker-" + filepath.Base(e.Dir()) }

// removeCgroups removes the parent, which the Engine leaves, in all
// hierarchies of cgroup v1 or in the one of v2.
func (e *Engine) removeCgroups() {
	const root = "/sys/fs/cgroup"
	for _, pattern := range []string{root + e.cgroup(), root + "/*" + e.cgroup()} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			e.tb.Error(err)
		}
		for _, dir := range dirs {
			if err := removeGroups(dir); err != nil {
				e.tb.Errorf("removing cgroup %s: %v", dir, err)
			}
		}
	}
}

// removeGroups removes a group with those in it: only folders can be, and
// the files in them go along.
func removeGroups(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
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
