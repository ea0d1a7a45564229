package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// leavings lists the processes that the containerd of a folder has left.
func leavings(dir string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && belongs(pid, dir) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// belongs says whether a process works in the state of a folder's daemon, as
// shims and runc do, or has a root made of the daemon's snapshots, as programs
// in containers do. One that cannot be looked at is over, or somebody else's.
func belongs(pid int, dir string) bool {
	if cwd, err := os.Readlink(procFile(pid, "cwd")); err == nil && strings.HasPrefix(cwd, filepath.Join(dir, "state")+"/") {
		return true
	}
	return rootedIn(pid, "/"+filepath.Base(dir)+"/")
}

// rootedIn says whether the root of a process is made of what is in a folder.
// The path of a bind mount begins where its file system does.
func rootedIn(pid int, folder string) bool {
	file, err := os.Open(procFile(pid, "mountinfo"))
	if err != nil {
		return false
	}
	defer file.Close()
	mounts, err := mountinfo.GetMountsFromReader(file, mountinfo.SingleEntryFilter("/"))
	return err == nil && slices.ContainsFunc(mounts, func(m *mountinfo.Info) bool {
		return strings.Contains(m.VFSOptions, folder) || strings.Contains(m.Root, folder)
	})
}

// shimFlags returns what a process was started with, by flag, if it is a shim
// that serves the folder's daemon.
func shimFlags(pid int, dir string) (map[string]string, bool) {
	line, err := os.ReadFile(procFile(pid, "cmdline"))
	if err != nil {
		return nil, false
	}
	args := strings.Split(string(line), "\x00")
	if !strings.HasPrefix(filepath.Base(args[0]), "containerd-shim-") {
		return nil, false
	}
	flags := make(map[string]string)
	for i, arg := range args[1:] {
		flags[args[i]] = arg
	}
	return flags, flags["-address"] == address(dir)
}

func procFile(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }
