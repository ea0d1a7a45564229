package service

import (
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// RemoveCgroups removes the cgroup that programs of a test made their
// containers' groups in and then left, in all hierarchies of cgroup v1 or in
// the one of v2. parent begins with a slash.
func RemoveCgroups(tb testing.TB, parent string) {
	tb.Helper()
	const root = "/sys/fs/cgroup"
	for _, pattern := range []string{root + parent, root + "/*" + parent} {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			tb.Error(err)
		}
		for _, dir := range dirs {
			if err := removeGroups(dir); err != nil {
				tb.Errorf("removing cgroup %s: %v", dir, err)
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
