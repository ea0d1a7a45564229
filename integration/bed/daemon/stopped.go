package daemon

import (
	"context"
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Patient is [Options.Config] for a daemon that collects garbage only when it
// is told to, or when something was deleted since it last did.
const Patient = `[plugins."io.containerd.gc.v1.scheduler"]
  mutation_threshold = 1000000
`

// EachMode runs a subtest for every version of containerd and for each mode:
// ctr-prune gets the socket of a daemon that runs, or the root of one that is
// stopped. Without modes it is both.
func EachMode(t *testing.T, test func(t *testing.T, version parts.Part, stopped bool), modes ...bool) {
	if len(modes) == 0 {
		modes = []bool{false, true}
	}
	EachVersion(t, func(t *testing.T, version parts.Part) {
		for _, stopped := range modes {
			t.Run(map[bool]string{false: "running", true: "stopped"}[stopped], func(t *testing.T) {
				test(t, version, stopped)
			})
		}
	})
}

// Long says whether every combination is wanted; see `make soak`.
func Long() bool { return os.Getenv("SOAK") != "" }

// LeaveToLong skips a test of a stopped 1.7 that is also made of the other
// combinations, unless all are wanted: its files are read by the code of 2.4.
func LeaveToLong(t *testing.T, version parts.Part, stopped bool) {
	t.Helper()
	if stopped && version == parts.Containerd17 && !Long() {
		t.Skip("left to the long mode, see make soak")
	}
}

// Flags lead ctr-prune to the store of the daemon, or of the daemon as it will
// be when it is stopped.
func (d *Daemon) Flags(stopped bool) []string {
	if stopped {
		return []string{"--root", d.Root()}
	}
	return []string{"--address", d.Address()}
}

// Open opens the store as ctr-prune does: through the daemon if it runs.
func (d *Daemon) Open() prune.Store {
	d.tb.Helper()
	store, err := d.open(d.tb.Context())
	if err != nil {
		d.tb.Fatal(err)
	}
	return store
}

func (d *Daemon) open(ctx context.Context) (prune.Store, error) {
	if d.Running() {
		return prune.Open(ctx, d.Address())
	}
	return prune.OpenRoot(ctx, d.Root())
}
