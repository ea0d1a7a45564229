package trust

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// configMapVolume is how the path of a ConfigMap's volume ends on the node (pkg/volume of
// Kubernetes). Above it are folders of the kubelet into which only root gets.
var configMapVolume = regexp.MustCompile(`/pods/[^/]+/volumes/kubernetes\.io~configmap/[^/]+$`)

// onConfigMap says whether a folder is of a ConfigMap that the kubelet has mounted into
// this container. Its mode lets everybody write, but nobody can: the mount is read-only, as it
// is in every container, and on the node it is the kubelet's. That a mount is read-only would
// not be enough, because what it shows may be written to elsewhere.
func onConfigMap(dir string) bool {
	f, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only looked at
	return isConfigMap(f)
}

// isConfigMap is onConfigMap for a folder that is open.
func isConfigMap(dir *os.File) bool {
	id, err := mountOf(dir)
	if err != nil {
		return false
	}
	mounts, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(mounts)) { // proc_pid_mountinfo(5)
		if fields := strings.Fields(line); len(fields) > 5 && fields[0] == id {
			return configMapVolume.MatchString(fields[3]) && slices.Contains(strings.Split(fields[5], ","), "ro")
		}
	}
	return false
}

// mountOf is the ID of the mount that a folder is on.
func mountOf(dir *os.File) (string, error) {
	info, err := os.ReadFile(fmt.Sprintf("/proc/thread-self/fdinfo/%d", dir.Fd()))
	if err != nil {
		return "", err
	}
	_, id, _ := bytes.Cut(info, []byte("mnt_id:"))
	id, _, _ = bytes.Cut(id, []byte("\n"))
	return string(bytes.TrimSpace(id)), nil
}
