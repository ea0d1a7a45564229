package buildkit

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	image = "example.com/app:1"
	// prefix is what buildkit is told to name images with that have no other
	// name.
	prefix = "replaced"
)

// rootfs makes a folder to build: a program, files, and a step that runs the
// program, with the argument.
func rootfs(t *testing.T, argument string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"Dockerfile": "FROM scratch\nCOPY program /program\nCOPY data /data\nRUN [\"/program\", \"" + argument + "\"]\n",
		"program":    string(programs.Sleeper(t)),
		"data":       "1",
	}
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// fresh lists the steps of the Dockerfile that did not come from the cache.
func fresh(steps []Step) []string {
	var names []string
	for _, s := range steps {
		if !s.Cached && !strings.HasPrefix(s.Name, "[internal]") && strings.HasPrefix(s.Name, "[") {
			names = append(names, s.Name)
		}
	}
	return names
}

// checked prunes the builder's namespace and fails the test if more is gone
// than may be: any lease, any snapshot or blob of cache or history.
func checked(t *testing.T, b *Builder, policy prune.Policy) *prune.Report {
	t.Helper()
	b.Settle()
	before := b.Capture()
	report := pruning.Run(t, b.Address(), policy, pruning.None, nil)
	after := b.Capture()
	if refused := report.Plan.Refused; len(refused) > 0 {
		t.Errorf("refused: %v", refused)
	}
	if err := oracle.Check(before, after, oracle.AllowOrphanedSnapshots()); err != nil {
		t.Error(err)
	}
	if freed, told := freedBytes(before, after), report.Reclaimed.ContentBytes+report.Garbage.ContentBytes; freed != told {
		t.Errorf("%d bytes are gone from the disk, the report says %d", freed, told)
	}
	same(t, before, after, func(change string) bool {
		// buildkit ends its temporary leases when it comes to it.
		lease := strings.HasPrefix(change, b.Namespace+" lease ") && !temporary(before, b.Namespace, change)
		return lease || strings.HasPrefix(change, b.Namespace+"_history ")
	})
	return report
}

// temporary says whether a change is about a temporary lease that was there.
func temporary(before *oracle.State, namespace, change string) bool {
	id := strings.TrimPrefix(change, namespace+" lease ")
	kind := leases.KindOf(before.Namespaces[namespace].Leases[id].Lease)
	return kind == leases.KindBuild || kind == leases.KindView
}

func same(t *testing.T, before, after *oracle.State, concerned func(string) bool) {
	t.Helper()
	changes := oracle.Diff(before, after)
	for _, change := range slices.Concat(changes.Added, changes.Removed, changes.Changed) {
		if concerned(change) {
			t.Errorf("changed: %s", change)
		}
	}
}

func freedBytes(before, after *oracle.State) (freed int64) {
	for dgst, size := range before.Files {
		if _, ok := after.Files[dgst]; !ok {
			freed += size
		}
	}
	return freed
}

func (b *Builder) images() []string {
	b.tb.Helper()
	return slices.Sorted(maps.Keys(b.Capture().Namespaces[b.Namespace].Images))
}

func holders(report *prune.Report) []string {
	found := make(map[string]bool)
	for _, h := range report.Held {
		what, rest, _ := strings.Cut(h.Holder, " (lease ")
		_, hint, _ := strings.Cut(rest, "; ")
		found[what+"; "+hint] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// Images that were built, exported and rebuilt, in buildkit's own namespace
// and in another: their records go, cache and history stay, and the next
// build is all cached.
func TestBuildsArePruned(t *testing.T) {
	for _, namespace := range []string{"buildkit", "default"} {
		t.Run(namespace, func(t *testing.T) {
			b := Start(t, namespace)
			dir := rootfs(t, "exit")
			if got := fresh(b.Build(dir, image, "dangling-name-prefix="+prefix)); len(got) != 3 {
				t.Fatalf("the first build ran %q, want three steps", got)
			}
			write(t, dir, "data", "2")
			b.Build(dir, image, "dangling-name-prefix="+prefix)
			if got := b.images(); len(got) != 3 {
				t.Fatalf("images after a rebuild: %q, want one and two dangling", got)
			}

			dangling := pruning.Dangling(namespace)
			dangling.DanglingPrefixes = []string{prefix}
			if report := checked(t, b, pruning.Dangling(namespace)); len(report.Untagged) != 0 {
				t.Errorf("without buildkit's prefix: untagged %v", report.Untagged)
			}
			if report := checked(t, b, dangling); len(report.Untagged) != 2 {
				t.Errorf("with buildkit's prefix: untagged %v, want two", report.Untagged)
			}
			if diff := cmp.Diff([]string{image}, b.images()); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			report := checked(t, b, pruning.All(namespace))
			if got := b.images(); len(got) != 0 {
				t.Errorf("images after -a: %q", got)
			}
			want := []string{"build cache; `buildctl prune` frees it", "build history; `buildctl prune-histories` frees it"}
			if diff := cmp.Diff(want, holders(report)); diff != "" {
				t.Errorf("holders (-want +got):\n%s", diff)
			}
			if got := fresh(b.Build(dir, image)); len(got) != 0 {
				t.Errorf("the build after the prune ran %q again", got)
			}
		})
	}
}

// What is said to free the rest does so.
func TestBuildkitFreesWhatItHeld(t *testing.T) {
	b := Start(t, "buildkit")
	dir := rootfs(t, "exit")
	b.Build(dir, image)
	report := checked(t, b, pruning.All("buildkit"))
	if len(report.Held) == 0 {
		t.Fatal("nothing is held by cache or history")
	}
	b.Ctl("prune", "--all")
	b.Ctl("prune-histories")
	if err := b.Store("buildkit").Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := b.Capture()
	for _, h := range report.Held {
		if _, ok := after.Files[h.Digest]; ok && h.Digest != "" {
			t.Errorf("%s is still there, held by %s", h.Digest, h.Holder)
		}
	}
}

// The leases of a real buildkit are told apart.
func TestKindsOfLease(t *testing.T) {
	b := Start(t, "buildkit")
	b.Build(rootfs(t, "exit"), image)
	state := b.Capture()
	kinds := make(map[string]map[leases.Kind]int)
	for name, ns := range state.Namespaces {
		kinds[name] = make(map[leases.Kind]int)
		for _, lease := range ns.Leases {
			kind := leases.KindOf(lease.Lease)
			if kinds[name][kind]++; kind == leases.KindOther {
				t.Errorf("lease %q with labels %v is of no known kind", lease.ID, lease.Labels)
			}
		}
	}
	if n := len(kinds["buildkit_history"]); n != 1 || kinds["buildkit_history"][leases.KindHistory] == 0 {
		t.Errorf("leases of the history: %v", kinds["buildkit_history"])
	}
	if kinds["buildkit"][leases.KindCache] == 0 {
		t.Errorf("leases of the builder: %v", kinds["buildkit"])
	}
}

// History is never pruned, whoever asks for it.
func TestHistoryIsNotPruned(t *testing.T) {
	b := Start(t, "buildkit")
	b.Build(rootfs(t, "exit"), image)
	history := "buildkit_history"
	s := b.Store(history)
	if err := s.Add(t.Context(), imagestore.New(3).Image(imagestore.Spec{Name: "example.com/in-history:1"})); err != nil {
		t.Fatal(err)
	}
	if report := pruning.Run(t, b.Address(), pruning.All(history), pruning.None, nil); len(report.Untagged) != 0 {
		t.Errorf("untagged %v", report.Untagged)
	}
	for _, d := range pruning.Plan(t, b.Address(), pruning.All(), pruning.None).Decisions {
		if d.Namespace == history && (d.Action != prune.Keep || !strings.Contains(d.Reason, "prune-histories")) {
			t.Errorf("%s: %s: %s", d.Name, d.Action, d.Reason)
		}
	}
}
