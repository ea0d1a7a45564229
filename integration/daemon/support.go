package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// longestSocket is how long a socket's path may be (sun_path of unix(7)),
// less the suffix that containerd adds for ttrpc.
const longestSocket = 107 - len(".ttrpc")

// makeDir makes a folder with a short path below parent. A long TMPDIR is
// passed over for /tmp.
func makeDir(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	if len(filepath.Join(parent, "ctrd1234567890", "c.sock")) > longestSocket {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "ctrd")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711)
}

func (d *Daemon) searchPath() string {
	return strings.Join(append(d.opts.Path, os.Getenv("PATH")), string(os.PathListSeparator))
}
