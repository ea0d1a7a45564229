package testworld

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Legend names the digests in a text by what is written in their blobs, «a» for
// one, if that is one of [RandomBlobs].
func Legend(text string) string {
	for _, blob := range RandomBlobs {
		text = strings.ReplaceAll(text, Digest(blob).String(), "«"+blob+"»")
	}
	return text
}

// String writes a world in its language, for the one who has to find out.
func (w World) String() string {
	var b strings.Builder
	for _, ns := range slices.Sorted(maps.Keys(w)) {
		fmt.Fprintf(&b, "%s:\n", ns)
		for _, t := range w[ns] {
			fmt.Fprintf(&b, "\t%s\n", t)
		}
	}
	return Legend(b.String())
}

// String writes a thing as it is written in Go.
func (t Thing) String() string {
	names := map[graph.Kind]string{
		graph.KindImage: "record", graph.KindLease: "lease", graph.KindContent: "blob", graph.KindSnapshot: "snapshot", graph.KindIngest: "upload",
		graph.KindContainer: "container", graph.KindSandbox: "podSandbox",
	}
	text := fmt.Sprintf("%s(%q, %q, %q)", names[t.What], t.Name, t.Of, t.Key)
	if t.What == graph.KindSnapshot || t.What == graph.KindContainer {
		text += " in " + t.Snapshotter
	}
	for _, resource := range t.Holds {
		text += fmt.Sprintf(" holding %s %s", resource.Type, resource.ID)
	}
	for _, key := range slices.Sorted(maps.Keys(t.Labels)) {
		text += fmt.Sprintf(" %s=%s", strings.TrimPrefix(key, "containerd.io/"), t.Labels[key])
	}
	return text
}

// Reasons are the sentences of causes.
func Reasons(list []cause.Cause) []string {
	texts := make([]string, len(list))
	for i, c := range list {
		texts[i] = c.Reason
	}
	return texts
}
