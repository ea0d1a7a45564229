package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/prune"
)

// weight is what a run took, as the helper tells it.
type weight struct {
	Wall, CPU time.Duration
	RSS       int64
}

// timing is what was measured at one size.
type timing struct {
	images int
	// atOnce are prunes with one collection, as the floor has.
	prune, atOnce, floor []weight
	// rooted are prunes of the directory of a stopped daemon.
	rooted []weight
	// read and plan are the two steps of planning, dry the whole process of
	// a dry run.
	read, plan []time.Duration
	dry        []weight
}

// measure runs the programs on copies of one store, in turn, and changes
// which one is first.
func measure(t *testing.T, p programs, images, rounds int) timing {
	t.Helper()
	start := time.Now()
	d := template(t, images)
	t.Logf("filled %d images in %s", images, time.Since(start).Round(time.Second))
	result := timing{images: images}
	for round := range rounds {
		ours := func(t *testing.T) { result.ours(t, p, d) }
		atOnce := func(t *testing.T) { result.whole(t, p, d) }
		floor := func(t *testing.T) { result.least(t, p, d) }
		stopped := func(t *testing.T) { result.stopped(t, p, d) }
		order := []func(*testing.T){ours, atOnce, floor, stopped}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for i, run := range order {
			t.Run(fmt.Sprintf("round%d/%d", round+1, i), run)
		}
	}
	return result
}

// ours times ctr-prune: planning first, which changes nothing, then the whole.
func (r *timing) ours(t *testing.T, p programs, template *daemon.Daemon) {
	d := copied(t, template)
	r.planning(t, d)
	r.dry = append(r.dry, p.weigh(t, p.prune, "--address", d.Address(), "-a", "--dry-run"))
	d.Restart() // as cold as the other one
	unix.Sync()
	r.prune = append(r.prune, p.weigh(t, p.prune, "--address", d.Address(), "-a", "-f"))
	wantEmpty(t, d)
}

// whole times ctr-prune without slices.
func (r *timing) whole(t *testing.T, p programs, template *daemon.Daemon) {
	d := copied(t, template)
	d.Restart()
	unix.Sync()
	r.atOnce = append(r.atOnce, p.weigh(t, p.prune, "--address", d.Address(), "-a", "-f", "--max-stall", "0"))
	wantEmpty(t, d)
}

func (r *timing) least(t *testing.T, p programs, template *daemon.Daemon) {
	d := copied(t, template)
	d.Restart()
	unix.Sync()
	r.floor = append(r.floor, p.weigh(t, p.helper, "floor", d.Address()))
	wantEmpty(t, d)
}

// stopped times ctr-prune on the files of a daemon that does not run.
func (r *timing) stopped(t *testing.T, p programs, template *daemon.Daemon) {
	d := copied(t, template)
	d.Stop()
	unix.Sync()
	r.rooted = append(r.rooted, p.weigh(t, p.prune, "--root", d.Root(), "-a", "-f"))
	d.Up()
	wantEmpty(t, d)
}

// planning times the library's two steps before anything is changed.
func (r *timing) planning(t *testing.T, d *daemon.Daemon) {
	t.Helper()
	store, err := prune.Open(t.Context(), d.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Now()
	set, err := filters.Parse(filters.Options{All: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	policy := prune.Policy{Namespaces: []string{"default"}, Filters: set}
	start := time.Now()
	inv, err := prune.Read(t.Context(), store, policy.Scope(), now, prune.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	read := time.Now()
	if _, err := prune.NewPlan(inv, policy, now); err != nil {
		t.Fatal(err)
	}
	r.read = append(r.read, read.Sub(start))
	r.plan = append(r.plan, time.Since(read))
}

func copied(t *testing.T, template *daemon.Daemon) *daemon.Daemon {
	t.Helper()
	d := template.Clone(t)
	unix.Sync() // what the copy left to write is not to be paid by who comes next
	return d
}

// weigh runs a program under the helper.
func (p programs) weigh(t *testing.T, args ...string) weight {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.helper, append([]string{"weigh"}, args...)...)
	text, err := cmd.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output wraps nothing
			t.Fatalf("%q: %v\n%s", args, err, exit.Stderr)
		}
		t.Fatalf("%q: %v", args, err)
	}
	var w weight
	if err := json.Unmarshal(text, &w); err != nil {
		t.Fatalf("%q said %q: %v", args, text, err)
	}
	return w
}

// wantEmpty makes sure that what was timed was the whole work.
func wantEmpty(t *testing.T, d *daemon.Daemon) {
	t.Helper()
	state := d.Capture().Namespaces["default"]
	if state == nil {
		return
	}
	if n := len(state.Images) + len(state.Content) + len(state.Snapshots); n > 0 {
		t.Errorf("%d records, %d blobs and %d snapshots are left", len(state.Images), len(state.Content), len(state.Snapshots))
	}
}

// weighing is the memory at one size.
type weighing struct {
	images          int
	dry, prune, cut weight
}

// weighStore looks at the peak of memory only, of a dry run, of a dry run on
// the files of the stopped daemon, and of a prune.
func weighStore(t *testing.T, p programs, images int) weighing {
	t.Helper()
	d := template(t, images)
	w := weighing{images: images}
	w.cut = p.weigh(t, p.prune, "--root", d.Root(), "-a", "--dry-run")
	d.Up()
	w.dry = p.weigh(t, p.prune, "--address", d.Address(), "-a", "--dry-run")
	w.prune = p.weigh(t, p.prune, "--address", d.Address(), "-a", "-f")
	wantEmpty(t, d)
	return w
}
