package root

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/containerd/containerd/v2/version"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
)

// rootID returns the UUID that the daemon of this root reports, if it was ever
// asked for one (only then does containerd make it). Otherwise it is derived
// from what belongs to meta.db as long as it exists, wherever the disk is mounted: its
// inode's number and time of birth, or else its path.
func rootID(l RootLayout) (string, error) {
	data, err := os.ReadFile(filepath.Join(l.Dir, daemon.StoreUUIDFile))
	if err == nil && len(data) > 0 && len(data) < 64 {
		return string(data), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", rootAccess(l.Dir, filepath.Join(l.Dir, daemon.StoreUUIDFile), err)
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, l.Meta, 0, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return "", rootAccess(l.Dir, l.Meta, err)
	}
	seed := l.Meta
	if st.Mask&unix.STATX_BTIME != 0 {
		seed = fmt.Sprintf("%d %d.%09d", st.Ino, st.Btime.Sec, st.Btime.Nsec)
	}
	sum := sha256.Sum256([]byte(seed))
	return fmt.Sprintf("root-%x", sum[:16]), nil
}

// RootVersion is that of the containerd module linked in: its collector does
// the work. A program built without module information has only the package's
// own constant.
func RootVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path != version.Package {
				continue
			}
			if m.Replace != nil {
				m = m.Replace
			}
			if v, ok := strings.CutPrefix(m.Version, "v"); ok {
				return v
			}
		}
	}
	return version.Version
}
