package answers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Whatever a person types finds its object, and nothing is changed by it.
func TestExplainFindsWhatIsTyped(t *testing.T) {
	everywhere(t, func(n *node) {
		before := n.state()
		config := n.app.Config.Desc.Digest
		for typed, want := range map[string]prune.Object{
			"app:1":               {Kind: "image", Namespace: "default", Name: n.app.Name},
			"app":                 {Kind: "image", Namespace: "default", Name: "docker.io/library/app:latest"},
			n.dangling.Name[:20]:  {Kind: "image", Namespace: "default", Name: n.dangling.Name},
			"worker":              {Kind: "container", Namespace: "default", Name: "worker"},
			"pull":                {Kind: "lease", Namespace: "default", Name: "pulling"},
			config.String():       {Kind: "content", Namespace: "default", Name: config.String()},
			config.Encoded()[:16]: {Kind: "content", Namespace: "default", Name: config.String()},
			n.app.ChainIDs()[3]:   {Kind: "snapshot", Namespace: "default", Name: n.daemon.Snapshotter() + "/" + n.app.ChainIDs()[3]},
			"layer-sha256:upload": {Kind: "upload", Namespace: "default", Name: "layer-sha256:upload"},
		} {
			if got := read[prune.Explanation](n, "explain", typed).Object; got != want {
				t.Errorf("%q is %v, want %v", typed, got, want)
			}
		}
		n.wantSame(before)
	})
}

func TestExplainSaysWhatIsAmbiguousOrMissing(t *testing.T) {
	everywhere(t, func(n *node) {
		r := n.run(2, "explain", "base:1") // in two namespaces
		n.wantText(r.Stderr, "is ambiguous", n.base.Name+" (namespace default)", n.base.Name+" (namespace other)")
		n.run(0, "explain", "-n", "other", "base:1")
		n.wantText(n.run(1, "explain", "no-such-thing").Stderr, "nothing in the store is named")
	})
}

// The chains lead from what holds an object down to it, and what it would free
// is what a prune of it frees.
func TestExplainChainsAndBytes(t *testing.T) {
	everywhere(t, func(n *node) {
		layer := n.built.Layers[0].Desc.Digest.String()
		e := read[prune.Explanation](n, "explain", "--all", layer)
		if len(e.Chains) != 1 || e.Chains[0][0].Name != n.built.Name || e.Chains[0][len(e.Chains[0])-1].Name != layer {
			t.Errorf("chains of a layer: %v", e.Chains)
		}
		e = read[prune.Explanation](n, "explain", n.built.Config.Desc.Digest.String())
		var holders []string
		for _, chain := range e.Chains {
			holders = append(holders, chain[0].Name)
		}
		if slices.Sort(holders); !slices.Equal(holders, []string{n.built.Name, imagestore.HistoryID("u7w5c2jq1xyz")}) {
			t.Errorf("holders of a config that a build history holds: %q", holders)
		}
		snapshot := read[prune.Explanation](n, "explain", n.used.ChainIDs()[2])
		if !slices.ContainsFunc(snapshot.Chains, func(c []prune.Object) bool { return c[0].Kind == "container" && c[0].Name == "worker" }) {
			t.Errorf("chains of a snapshot below a container: %v", snapshot.Chains)
		}
		if used := read[prune.Explanation](n, "explain", "--all", "used:1"); len(used.UsedBy) != 1 || used.Decisions[0].Action != prune.Keep {
			t.Errorf("an image in use: used by %q, %+v", used.UsedBy, used.Decisions)
		}
		n.explainedIsFreed()
	})
}

// explainedIsFreed removes an image and compares with what was said.
func (n *node) explainedIsFreed() {
	n.t.Helper()
	said := read[prune.Explanation](n, "explain", "--all", "app:1")
	if len(said.Decisions) != 2 || said.Decisions[0].Action != prune.Remove {
		n.t.Errorf("an unused image: %+v", said.Decisions)
	}
	did := read[prune.Document](n, "--all", "--force", "--filter", "reference=app")
	if did.Reclaimed != said.Frees || did.Reclaimed.SnapshotBytes == 0 {
		n.t.Errorf("said %+v, freed %+v", said.Frees, did.Reclaimed)
	}
}

func TestExplainAsTree(t *testing.T) {
	everywhere(t, func(n *node) {
		r := n.run(0, "explain", "--all", "used:1")
		n.wantText(r.Stdout, "Image docker.io/library/used:1", "Used by", "container worker", "└─ manifest "+n.used.Target.Digest.String(),
			"config "+n.used.Config.Desc.Digest.String(), "layer 1 ", "shared", "snapshot 3 ", "keep docker.io/library/used:1: in use by container worker")
		if strings.Contains(r.Stdout, "\x1b") {
			t.Errorf("colours off a terminal: %q", r.Stdout)
		}
	})
}
