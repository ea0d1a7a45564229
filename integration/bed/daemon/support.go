package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
)

// Unsupported says in a sentence why this user cannot run a containerd on
// this machine, or is empty.
func Unsupported() string {
	if os.Geteuid() == 0 {
		return ""
	}
	return userNamespaces()
}

// userNamespaces asks the kernel once: distributions forbid user namespaces
// to ordinary users in several different ways.
var userNamespaces = sync.OnceValue(func() string {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	enterUserNamespace(cmd.SysProcAttr)
	if err := cmd.Run(); err != nil {
		return fmt.Sprintf("a private containerd needs root or a user namespace, which this user cannot make: %v", err)
	}
	return ""
})

// defaultSnapshotter returns overlayfs for root when dir's file system can
// carry it, else native.
func defaultSnapshotter(dir string) string {
	if os.Geteuid() == 0 && overlayutils.Supported(dir) == nil {
		return "overlayfs"
	}
	return "native"
}

func (d *Daemon) searchPath() string {
	return strings.Join(append(d.opts.Path, os.Getenv("PATH")), string(os.PathListSeparator))
}
