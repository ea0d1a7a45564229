package answers_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

// What keeps an object is named, with a command that ends it as it is typed into
// a shell; a label that keeps nothing is told from one that does.
func TestWhatKeepsIsNamedWithWhatEndsIt(t *testing.T) {
	t.Parallel()
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		n := newNode(t, v, false)
		layer, snapshot := n.app.Layers[3].Desc.Digest.String(), n.app.ChainIDs()[3]
		n.rootEverything(layer, snapshot)
		for _, c := range []struct {
			object string
			want   []string
		}{
			{layer, []string{"content containerd.io/gc.root=now", "image ctr-prune/keep=it's mine", "lease "}},
			{snapshot, []string{"image ctr-prune/keep=it's mine", "snapshot containerd.io/gc.root=now"}},
			{"app:1", nil},
		} {
			e := read[prune.Explanation](n, "explain", c.object)
			var got []string
			for _, h := range e.KeptBy {
				got = append(got, h.HeldBy.Kind+" "+h.HolderParts.Label)
				n.wantText(n.run(0, "explain", c.object, "--no-trunc").Stdout, "to end that: "+h.HolderParts.Command)
			}
			if slices.Sort(got); !slices.Equal(got, c.want) {
				t.Errorf("%s is kept by %q, want %q", c.object, got, c.want)
			}
			for _, h := range e.KeptBy {
				if h.HolderParts.Label != "ctr-prune/keep=it's mine" || c.object == snapshot {
					n.shell(h.HolderParts.Command)
				}
			}
		}
		if e := read[prune.Explanation](n, "explain", snapshot); len(e.KeptBy) != 0 {
			t.Errorf("afterwards: %+v", e.KeptBy)
		}
		n.lookalike()
	})
}

// rootEverything lets a lease and labels keep parts of an image.
func (n *node) rootEverything(layer, snapshot string) {
	n.t.Helper()
	s, now := n.daemon.Store("default"), map[string]string{"containerd.io/gc.root": "now"}
	ctx := s.Context(n.t.Context())
	_, errContent := s.Client.ContentStore().Update(ctx, content.Info{Digest: n.app.Layers[3].Desc.Digest, Labels: now}, "labels.containerd.io/gc.root")
	_, errSnapshot := s.Client.SnapshotService(s.Snapshotter).Update(ctx, snapshots.Info{Name: snapshot, Labels: now}, "labels.containerd.io/gc.root")
	n.must(errContent, errSnapshot,
		s.Lease(n.t.Context(), imagestore.LeaseSpec{ID: "a $scan", Resources: []leases.Resource{{Type: "content", ID: layer}}}),
		s.Label(n.t.Context(), n.app.Name, map[string]string{"ctr-prune/keep": "it's mine"}))
}

// lookalike gives an image a label that keeps nothing: that is said, with the
// label that does, and nothing is said when that is set.
func (n *node) lookalike() {
	n.t.Helper()
	n.must(n.daemon.Store("default").Label(n.t.Context(), n.app.Name, map[string]string{"io.cri.containerd.pinned": "pinned"}))
	e := read[prune.Explanation](n, "explain", "app:1")
	if !slices.Equal(e.Labels, []string{"io.cri.containerd.pinned=pinned", "team=web"}) || len(e.Notes) != 1 {
		n.t.Errorf("labels %q, notes %v", e.Labels, e.Notes)
	}
	n.wantText(n.run(0, "explain", "app:1").Stdout, "Labels\n", "io.cri.containerd.pinned=pinned", "does not keep it")
	found := decode[struct{ Findings []prune.Finding }](n, n.run(1, "check", "--format", "json").Stdout).Findings
	if len(found) != 1 || found[0].Problem != prune.ProblemLookalike || found[0].Object != n.app.Name {
		n.t.Fatalf("found %+v", found)
	}
	n.shell(found[0].Fix)
	n.wantText(n.run(0, "check").Stdout, "No problems found.")
	if e := read[prune.Explanation](n, "explain", "--all", "app:1"); len(e.Notes) != 0 || e.Decisions[0].Action != prune.Keep {
		n.t.Errorf("afterwards: %v, %+v", e.Notes, e.Decisions)
	}
	n.run(0, "--all", "--force", "--until", time.Nanosecond.String())
	read[prune.Explanation](n, "explain", "app:1")
}

// shell types a command that was told, with containerd's own ctr.
func (n *node) shell(command string) {
	n.t.Helper()
	cmd := exec.CommandContext(n.t.Context(), "sh", "-c", command)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(n.daemon.Ctr())+":"+os.Getenv("PATH"), "CONTAINERD_ADDRESS="+n.daemon.Address())
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %v\n%s", command, err, out)
	}
}
