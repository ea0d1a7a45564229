package cri

import (
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
)

// cgroup is the parent of the pods' groups, one for each node.
func (n *Node) cgroup() string { return "/" + filepath.Base(n.Dir()) }

// removeCgroups removes the parent, which CRI leaves, in all hierarchies of
// cgroup v1 or in the one of v2.
func (n *Node) removeCgroups() {
	const root = "/sys/fs/cgroup"
	for _, pattern := range []string{root + n.cgroup(), root + "/*" + n.cgroup()} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			n.tb.Error(err)
		}
		for _, dir := range dirs {
			if err := removeGroups(dir); err != nil {
				n.tb.Errorf("removing cgroup %s: %v", dir, err)
			}
		}
	}
}

// removeGroups removes a group with those in it. Only the folders can be
// removed, the files in them go with these.
func removeGroups(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(dirs) {
		if err := syscall.Rmdir(d); err != nil {
			return err
		}
	}
	return nil
}
