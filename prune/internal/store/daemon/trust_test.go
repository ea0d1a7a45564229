package daemon

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// staleSocket makes a socket in a new folder below a new folder; nobody
// listens, so that connecting to it fails in its own way.
func staleSocket(t *testing.T) (socket, dir, above string) {
	t.Helper()
	above, err := os.MkdirTemp("", "sock") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(above) })
	dir = filepath.Join(above, "d")
	socket = filepath.Join(dir, "c.sock")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return socket, dir, above
}

const refusedByNobody = "connection refused"

// A socket whose folder, or one above it, every user may change can be
// replaced; the sticky bit keeps others from it.
func TestOpenRefusesASocketThatAllMayReplace(t *testing.T) {
	socket, dir, above := staleSocket(t)
	for _, folder := range []string{dir, above} {
		for mode, accepted := range map[os.FileMode]bool{
			0o777: false, 0o773: false, 0o777 | os.ModeSticky: true, 0o775: true, 0o755: true,
		} {
			if err := os.Chmod(folder, mode); err != nil {
				t.Fatal(err)
			}
			if accepted {
				daemonTestRefused(t, socket, errdefs.ErrUnavailable, refusedByNobody, WithTimeout(time.Minute))
				continue
			}
			daemonTestRefused(t, socket, errdefs.ErrPermissionDenied, "every user may replace this socket")
			daemonTestRefused(t, socket, errdefs.ErrUnavailable, refusedByNobody, WithInsecureSocket(), WithTimeout(time.Minute))
		}
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// A link is as good as the folders on both sides of it.
func TestOpenLooksThroughLinks(t *testing.T) {
	socket, _, _ := staleSocket(t)
	_, open, _ := staleSocket(t)
	link := filepath.Join(open, "link.sock")
	if err := os.Symlink(socket, link); err != nil {
		t.Fatal(err)
	}
	daemonTestRefused(t, link, errdefs.ErrUnavailable, refusedByNobody, WithTimeout(time.Minute))
	for _, dir := range []string{filepath.Dir(socket), open} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		daemonTestRefused(t, link, errdefs.ErrPermissionDenied, "every user may replace this socket")
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// A socket is root's or one's own, or that of somebody who may be anybody.
func TestOpenRefusesAStrangersSocket(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a socket away")
	}
	socket, _, _ := staleSocket(t)
	if err := os.Chown(socket, 4711, 0); err != nil {
		t.Fatal(err)
	}
	daemonTestRefused(t, socket, errdefs.ErrPermissionDenied, "this socket belongs to user 4711, who is neither root nor")
	daemonTestRefused(t, socket, errdefs.ErrUnavailable, refusedByNobody, WithInsecureSocket(), WithTimeout(time.Minute))
	if err := daemonTrusted(socket, trust.Of(4711)); err != nil {
		t.Errorf("refused for its owner: %v", err)
	}
	if err := os.Chown(socket, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := daemonTrusted(socket, trust.Of(4711)); err != nil {
		t.Errorf("root's socket is refused for others: %v", err)
	}
}

// A connection is made anew when it broke: what was right at the first look is
// looked at again.
func TestEachDialLooks(t *testing.T) {
	socket, dir, _ := staleSocket(t)
	for path, mode := range map[string]os.FileMode{socket: 0o666, dir: 0o777} {
		fi, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err = daemonConnect(t.Context(), socket, daemonConfig{timeout: time.Minute})
		var refused *store.OpenError
		if !errors.As(err, &refused) || !errdefs.IsPermissionDenied(err) || !strings.HasPrefix(refused.Problem, "every user may ") {
			t.Errorf("%s: %v", path, err)
		}
		if err := os.Chmod(path, fi.Mode()); err != nil {
			t.Fatal(err)
		}
	}
}
