package text

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// mostHolders is how many holders are named one by one.
const mostHolders = 5

// holding is what one holder keeps.
type holding struct {
	namespace        string // "" if the holder says it
	holder           string
	blobs, snapshots int
	bytes            int64
}

func (h holding) String() string {
	return objects(h.blobs, h.snapshots) + ", " + terminal.Size(h.bytes)
}

// held shows what is kept of the removed images: by holder, the largest first.
func (v document) held(doc prune.Document) {
	all := holdings(doc)
	shown := all
	if len(all) > mostHolders && !v.out.Whole {
		shown = all[:mostHolders]
	}
	for _, h := range shown {
		v.out.Sentence("Held: %s", inNamespace(doc, h.namespace, h.String()+" by "+v.out.Prose(h.holder)))
	}
	if rest := all[len(shown):]; len(rest) > 0 {
		sum := holding{}
		for _, h := range rest {
			sum.blobs, sum.snapshots, sum.bytes = sum.blobs+h.blobs, sum.snapshots+h.snapshots, saturated(sum.bytes, h.bytes)
		}
		v.out.Sentence("Held: %s by %d others; --no-trunc lists them", sum, len(rest))
	}
}

// holdings groups what is held by who holds it. A blob that one holder has in
// two namespaces is counted once.
func holdings(doc prune.Document) []holding {
	groups := make(map[prune.Object]*holding)
	seen := make(map[prune.Held]bool)
	for _, h := range doc.Held {
		g := groups[h.HeldBy]
		if g == nil {
			g = &holding{holder: h.Holder}
			groups[h.HeldBy] = g
		}
		if h.HeldBy.Namespace == h.Namespace { // if held from another namespace, it says from which
			g.namespace, g.holder = h.Namespace, h.Holder
		}
		once := prune.Held{Digest: h.Digest, Snapshot: h.Snapshot, Keeper: prune.Keeper{HeldBy: h.HeldBy}}
		if seen[once] {
			continue
		}
		seen[once] = true
		if h.Digest != "" {
			g.blobs++
		} else {
			g.snapshots++
		}
		g.bytes = saturated(g.bytes, h.Bytes)
	}
	all := make([]holding, 0, len(groups))
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(a, b holding) int {
		return cmp.Or(-cmp.Compare(a.bytes, b.bytes), strings.Compare(a.holder, b.holder), strings.Compare(a.namespace, b.namespace))
	})
	return all
}

// saturated adds sizes without overflow, because a hostile store may contain
// any number.
func saturated(a, b int64) int64 {
	if sum := a + b; b < 0 || sum >= a {
		return max(sum, a)
	}
	return 1<<63 - 1
}
