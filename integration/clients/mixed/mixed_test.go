package mixed_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// outcome is the part of a report that is compared with the disk.
type outcome struct {
	Untagged                      []prune.Record
	Reclaimed, Garbage, Predicted prune.Amount
	Errors                        []prune.Cause
}

// prune runs the program with everybody's word and lets the oracle check what
// it did.
func (n *node) prune() (outcome, *oracle.State) {
	n.t.Helper()
	before := n.Capture()
	got := n.call("-a", "-f", "--docker-host", n.engine.Socket(), "--pods", n.pods, "--format", "json")
	after := n.Capture()
	if got.Code != 0 || got.Stderr != "" {
		n.t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
	var o outcome
	if err := json.Unmarshal([]byte(got.Stdout), &o); err != nil {
		n.t.Fatalf("the report: %v\n%s", err, got.Stdout)
	}
	n.harmless(before, after)
	if freed := bytesOf(before) - bytesOf(after); freed != o.Reclaimed.ContentBytes || o.Garbage.ContentBytes != 0 {
		n.t.Errorf("the disk gave back %d bytes; the report says %+v, and garbage %+v", freed, o.Reclaimed, o.Garbage)
	}
	return o, after
}

// harmless lets the oracle compare what was before and after.
func (n *node) harmless(before, after *oracle.State) {
	n.t.Helper()
	if err := oracle.Check(before, after, oracle.AllowOrphanedSnapshots()); err != nil {
		n.t.Errorf("the prune did harm: %v", err)
	}
	var temporary []string // buildkit ends these when it comes to it
	for id, lease := range before.Namespaces[builds].Leases {
		if kind := leases.KindOf(lease.Lease); kind == leases.KindBuild || kind == leases.KindView {
			temporary = append(temporary, id)
		}
	}
	if err := oracle.CheckUntouched(before, after, temporary...); err != nil {
		n.t.Errorf("the prune touched what is not its business: %v", err)
	}
	n.engine.CheckOwn(before, after)
}

func bytesOf(s *oracle.State) (sum int64) {
	for _, size := range s.Files {
		sum += size
	}
	return sum
}

// One run over everybody's images: what anybody uses stays, all else goes,
// and the disk gives back what the report says. The next run has nothing to do.
func TestMixedNode(t *testing.T) {
	n := start(t)
	left := n.fill()
	containers := n.engine.Containers()

	collected := n.collections()
	done, after := n.prune()
	// buildkitd may ask for one of its own at any time after a build; that a run
	// asks for one is held by TestExecuteCollectsOnce.
	if times := n.collections() - collected; times < 1 || times > 2 {
		t.Errorf("containerd collected %d times during the run, want once", times)
	}
	if diff := cmp.Diff(left, n.records()); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if done.Reclaimed.ContentBytes == 0 || done.Reclaimed != done.Predicted || len(done.Errors) > 0 {
		t.Errorf("the report says %+v", done)
	}

	again, unchanged := n.prune()
	if len(again.Untagged) != 0 || again.Reclaimed != (prune.Amount{}) {
		t.Errorf("the second run did %+v", again)
	}
	same(t, after, unchanged, everyone...)
	if got := n.call("-a", "-f", "--docker-host", n.engine.Socket(), "--pods", n.pods); !strings.Contains(got.Stdout, "Total reclaimed space: 0B") {
		t.Errorf("stdout %q", got.Stdout)
	}

	n.usable()
	n.engine.CheckContainers(containers)
	if ran := n.rebuilt("example.com/built:2"); len(ran) != 0 {
		t.Errorf("the build after the prune ran %q again", ran)
	}
}

// usable makes containers of everything that CRI has left, by tag and ID.
func (n *node) usable() {
	n.t.Helper()
	pod := n.Pod("again")
	defer pod.Remove()
	i := 0
	for id, names := range n.Listed() {
		for _, name := range append(slices.Clone(names), id) {
			i++
			made, err := pod.TryCreate(cri.Container{Name: "c" + string(rune('a'+i)), Image: name, Exits: true})
			if err != nil {
				n.t.Errorf("no container can be created from %q any more: %v", name, err)
				continue
			}
			pod.Start(made)
		}
	}
	if i < 3+3+2 {
		n.t.Errorf("CRI has %v, want tag, digest and ID of app and next, and the pause image", n.Listed())
	}
}

// same fails the test if anything changed in the namespaces.
func same(t *testing.T, before, after *oracle.State, namespaces ...string) {
	t.Helper()
	changes := oracle.Diff(before, after)
	for _, change := range slices.Concat(changes.Added, changes.Removed, changes.Changed) {
		namespace, _, _ := strings.Cut(change, " ")
		if slices.Contains(namespaces, namespace) {
			t.Errorf("changed: %s", change)
		}
	}
}
