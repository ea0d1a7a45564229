package daemon

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/containerd/errdefs"
)

// A socket that every user may write to is refused unless that is accepted;
// then it is connected to.
func TestOpenRefusesASocketOpenToAll(t *testing.T) {
	dir, err := os.MkdirTemp("", "sock") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "c.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	const refusal, refused = "every user may write to this socket, its mode is", "connection refused"
	for mode, accepted := range map[os.FileMode]bool{0o666: false, 0o662: false, 0o777: false, 0o660: true, 0o755: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if accepted {
			daemonTestRefused(t, path, errdefs.ErrUnavailable, refused, WithTimeout(time.Minute))
			continue
		}
		daemonTestRefused(t, path, errdefs.ErrPermissionDenied, refusal)
		daemonTestRefused(t, path, errdefs.ErrUnavailable, refused, WithInsecureSocket(), WithTimeout(time.Minute))
	}
}
