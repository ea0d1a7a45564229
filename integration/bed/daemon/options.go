package daemon

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// Options say what daemon to start. The zero value is a plain containerd 2.4.
type Options struct {
	// Version is parts.Containerd24 unless set.
	Version parts.Part
	// CRI loads the CRI plugin; SandboxImage is then its pinned pause image.
	CRI          bool
	SandboxImage string
	// Path are folders put before PATH, where containerd looks for the shim
	// and runc.
	Path []string
	// NoSync leaves out fsync of the metadata database (2.4 only): for
	// filling large stores. Restart with it off before measuring.
	NoSync bool
	// Dir is where the daemon's folder is made: the system's temporary
	// folder unless set. /dev/shm makes filling large stores faster.
	Dir string
	// Mount, if set, is called with the path of the root, an empty folder,
	// before the daemon first starts: to give it a disk of its own. What it
	// mounts is unmounted in the end.
	Mount func(root string) error
	// Standard lets root, state and socket be where they are on any node, which only
	// tests on a machine of their own can. Mount is not for those.
	Standard bool
	// LogLevel is containerd's default unless set: at "trace" the log tells of
	// every collection.
	LogLevel string
	// MaxAnswer is how many bytes containerd sends in one answer: 16 MiB unless set.
	MaxAnswer int
	// Config is TOML added to the end of the configuration.
	Config string
}

// Versions are the containerd versions that every behaviour is tested on.
func Versions() []parts.Part {
	return []parts.Part{parts.Containerd24, parts.Containerd17}
}

// EachVersion runs a subtest for every version of containerd.
func EachVersion(t *testing.T, test func(t *testing.T, version parts.Part)) {
	for _, v := range Versions() {
		t.Run(string(v), func(t *testing.T) { test(t, v) })
	}
}
