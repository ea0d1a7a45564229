package answers_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
)

// farNode is a node with a namespace whose images are unpacked in a snapshotter
// that is a program of its own.
type farNode struct {
	*node
	dir  string
	proc *programs.Process
	far  *imagestore.Image
	kept *imagestore.Image
}

func newFarNode(t *testing.T, v parts.Part) *farNode {
	t.Helper()
	dir, err := os.MkdirTemp("", "far")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	f := &farNode{node: &node{t: t}, dir: dir}
	f.serve()
	f.daemon = daemon.Start(t, daemon.Options{Version: v, NoSync: true, Config: fmt.Sprintf("[proxy_plugins.far]\n  type = \"snapshot\"\n  address = %q\n", f.socket())})
	f.daemon.Expect(prune.ProblemUnreadable) // its process ends before the daemon is looked at
	f.fill(f.daemon.Store("default"))
	s := f.daemon.Store("far")
	s.Snapshotter = "far"
	f.far = imagestore.New(7).Image(imagestore.Spec{Name: "docker.io/library/far:1", Layers: 2})
	f.must(s.Add(t.Context(), f.far))
	return f
}

func (f *farNode) socket() string { return filepath.Join(f.dir, "s.sock") }

// serve starts the snapshotter, and waits until it answers.
func (f *farNode) serve() {
	f.t.Helper()
	f.proc = programs.Start(f.t, farSnapshotter, f.socket(), filepath.Join(f.dir, "root"))
	for {
		conn, err := net.Dial("unix", f.socket())
		if err == nil {
			f.must(conn.Close())
			return
		}
		select {
		case <-f.proc.Ended():
			f.t.Fatal("the snapshotter has ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// dies and hangs are what becomes of it, each with what brings it back.
func (f *farNode) dies() (back func()) {
	f.proc.Signal(syscall.SIGKILL)
	<-f.proc.Ended()
	return f.serve
}

func (f *farNode) hangs() (back func()) {
	f.proc.Pause()
	return f.proc.Continue
}

// What stands on a snapshotter that does not answer is left alone, and all else
// goes on.
func TestSilentSnapshotter(t *testing.T) {
	t.Parallel()
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		for name, falls := range map[string]func(*farNode) func(){"dead": (*farNode).dies, "hangs": (*farNode).hangs} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := newFarNode(t, v)
				back := falls(f)
				defer back()
				f.asked()
				f.pruned()
			})
		}
	})
}

// asked runs the commands that only look. Each waits for the snapshotter.
func (f *farNode) asked() {
	f.t.Helper()
	looks := []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"df", "--format", "json"}, 0, nil},
		{[]string{"df"}, 0, []string{"≥", `snapshotter "far" does not answer`}},
		{[]string{"explain", "--all", f.app.Name}, 0, []string{"unused"}},
		{[]string{"explain", "-n", "far", f.far.Name}, 0, []string{"does not answer"}},
		{[]string{"leases"}, 0, nil},
		{[]string{"check"}, 1, []string{"does not answer"}},
	}
	commands := make([][]string, 0, len(looks))
	for _, look := range looks {
		commands = append(commands, look.args)
	}
	results := f.runAtOnce(commands...)
	for i, look := range looks {
		f.wantText(results[i].Want(f.t, look.code).Stdout, look.says...)
	}
	usage := decode[prune.DiskUsage](f.node, results[0].Stdout)
	if !slices.ContainsFunc(usage.Notes, func(c prune.Cause) bool { return c.ReasonCode == "snapshotter-silent" }) || !usage.Total.AtLeast {
		f.t.Errorf("df: %+v, notes %+v", usage.Total, usage.Notes)
	}
}

func (f *farNode) pruned() {
	f.t.Helper()
	args := []string{"--all", "--all-namespaces", "--format", "json"}
	plan := decode[prune.Document](f.node, f.run(1, append(args, "--dry-run")...).Stdout)
	f.farIsRefused(plan)
	if plan.Counts.Remove == 0 {
		f.t.Errorf("nothing is to go: %+v", plan.Counts)
	}
	start := time.Now()
	report := decode[prune.Document](f.node, f.run(1, append(args, "--force")...).Stdout)
	f.farIsRefused(report)
	if took := time.Since(start); took > 2*time.Minute || len(report.Errors) > 0 {
		f.t.Errorf("a run of %s with errors %+v", took, report.Errors)
	}
	if report.Reclaimed.Blobs == 0 || report.Reclaimed.Snapshots == 0 || report.Reclaimed != report.Predicted {
		f.t.Errorf("reclaimed %+v, predicted %+v", report.Reclaimed, report.Predicted)
	}
	records, err := f.daemon.Client("far").ImageService().List(f.t.Context())
	f.must(err)
	if len(records) != 1 {
		f.t.Errorf("records left of the namespace: %d", len(records))
	}
	for _, b := range f.far.Blobs() {
		if _, err := os.Stat(f.daemon.BlobFile(b.Desc.Digest)); err != nil {
			f.t.Error(err)
		}
	}
}

func (f *farNode) farIsRefused(doc prune.Document) {
	f.t.Helper()
	if len(doc.Refused) != 1 || doc.Refused[0].Namespace != "far" || doc.Refused[0].ReasonCode != "snapshotter-silent" || !strings.Contains(doc.Refused[0].Reason, `"far"`) {
		f.t.Errorf("refused: %+v", doc.Refused)
	}
}

// A collection that is to remove something from a snapshotter that hangs never
// ends by itself. A run does, with what it freed.
func TestCollectionWithASilentSnapshotter(t *testing.T) {
	t.Parallel()
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		f := newFarNode(t, v)
		f.must(f.daemon.Store("default").Collect(t.Context())) // what filling the store has left to collect
		_, err := f.daemon.Client("far").SnapshotService("far").Prepare(t.Context(), "garbage", "")
		f.must(err)
		back := f.hangs()
		report := decode[prune.Document](f.node, f.run(1, "--all", "--force", "--format", "json").Stdout)
		if len(report.Errors) != 1 || !strings.Contains(report.Errors[0].Reason, "did not end its garbage collection") {
			t.Errorf("errors: %+v", report.Errors)
		}
		// A collection that containerd began by itself may be the one that hangs, at
		// any time of the run.
		if got, most := report.Reclaimed, report.Predicted; got.Blobs > most.Blobs || got.Snapshots > most.Snapshots || got.TotalBytes > most.TotalBytes {
			t.Errorf("reclaimed %+v, predicted %+v", got, most)
		}
		back()
		f.must(f.daemon.Store("default").Collect(t.Context()))
		if _, err := os.Stat(f.daemon.BlobFile(f.dangling.Target.Digest)); err == nil {
			t.Error("what was removed is left when the snapshotter answers again")
		}
	})
}

// One that begins to hang when the plan is made, or when the collection begins,
// holds up no run: that ends, and says why. Nothing in use is lost.
func TestSnapshotterHangsDuringARun(t *testing.T) {
	t.Parallel()
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		for name, test := range map[string]func(f *farNode){"before": (*farNode).hangsBefore, "collecting": (*farNode).hangsWhileCollecting} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := newFarNode(t, v)
				f.keepOne()
				f.must(f.daemon.Store("default").Collect(t.Context())) // what filling the store has left to collect
				test(f)
			})
		}
	})
}

// keepOne gives the namespace of the snapshotter an image that stays, because a
// container uses it.
func (f *farNode) keepOne() {
	f.t.Helper()
	s := f.daemon.Store("far")
	s.Snapshotter = "far"
	f.kept = imagestore.New(8).Image(imagestore.Spec{Name: "docker.io/library/kept:1", Layers: 1})
	f.must(s.Add(f.t.Context(), f.kept), s.Container(f.t.Context(), imagestore.ContainerSpec{ID: "user", Image: f.kept.Name, Of: f.kept}))
}

// answerTime is long enough for a snapshotter that answers, on a busy machine, too.
const answerTime = 3 * time.Second

// execute removes all that is unused, and calls back when the run begins to
// collect.
func (f *farNode) execute(before, collecting func()) (*prune.Report, error) {
	f.t.Helper()
	ctx := f.t.Context()
	store, err := prune.Open(ctx, f.daemon.Address())
	f.must(err)
	defer func() { f.must(store.Close()) }()
	plan, err := prune.ReadPlan(ctx, store, pruning.All(), time.Now(), prune.ReadOptions{})
	f.must(err)
	before()
	return prune.Execute(ctx, store, plan, prune.ExecuteOptions{Now: time.Now, PluginTime: answerTime, Progress: func(p prune.Progress) {
		if p.Stage == prune.StageCollect {
			collecting()
		}
	}})
}

// hangsBefore leaves alone what stands on the snapshotter, as when it was silent
// already when the plan was made.
func (f *farNode) hangsBefore() {
	f.t.Helper()
	report, err := f.execute(func() { f.hangs() }, func() {})
	if err == nil || len(report.Errors) != 1 || report.Errors[0].ReasonCode != "snapshotter-silent" {
		f.t.Errorf("the run says: %v; %+v", err, report.Errors)
	}
	for _, skipped := range report.Skipped {
		if skipped.Namespace != "far" || !strings.Contains(skipped.Reason, "does not answer") {
			f.t.Errorf("skipped: %+v", skipped)
		}
	}
	if len(report.Skipped) != 1 || report.Reclaimed.Blobs == 0 {
		f.t.Errorf("skipped %+v, reclaimed %+v", report.Skipped, report.Reclaimed)
	}
}

// hangsWhileCollecting ends with what could be measured, and what is removed goes
// when the snapshotter answers again.
func (f *farNode) hangsWhileCollecting() {
	f.t.Helper()
	var back func()
	report, err := f.execute(func() {}, func() { back = f.hangs() })
	if err == nil || !strings.Contains(err.Error(), `snapshotter "far" does not answer`) {
		f.t.Errorf("the run says: %v", err)
	}
	if len(report.Untagged) == 0 || len(report.Restored) > 0 {
		f.t.Errorf("untagged %v, restored %v", report.Untagged, report.Restored)
	}
	back()
	f.must(f.daemon.Store("default").Collect(f.t.Context()))
	for _, img := range []*imagestore.Image{f.far, f.dangling} {
		if _, err := os.Stat(f.daemon.BlobFile(img.Target.Digest)); err == nil {
			f.t.Errorf("%q is left when the snapshotter answers again", img.Name)
		}
	}
	for _, b := range f.kept.Blobs() {
		if _, err := os.Stat(f.daemon.BlobFile(b.Desc.Digest)); err != nil {
			f.t.Error(err)
		}
	}
}
