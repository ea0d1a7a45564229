package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// AmbiguousError says that a text matches several objects, and lists them.
type AmbiguousError struct {
	Text string
	// Candidates are the first of the objects, and Total how many there are.
	Candidates []graph.Object
	Total      int
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q is ambiguous", e.Text)
}

// find resolves what a person types: the name of a record in any form, a
// container, a digest, a snapshot, a lease, a unique prefix of one, or the end
// of an image's name. Exact names are preferred to prefixes, and these to ends.
func find(c *gc.Collector, text string, namespaces []string) (graph.Node, error) {
	var exact, prefixed, ended []graph.Node
	for _, s := range c.Order {
		if len(namespaces) > 0 && !slices.Contains(namespaces, s.Name) {
			continue
		}
		full, called := rules.Normalize(text), calledBy(s, text)
		eachObject(s, func(n graph.Node) {
			switch {
			case matches(n, text, full), n.Kind == graph.KindContainer && called[n.Key]:
				exact = append(exact, n)
			case begins(n, text):
				prefixed = append(prefixed, n)
			case ends(n, text):
				ended = append(ended, n)
			}
		})
	}
	for _, found := range [][]graph.Node{exact, prefixed, ended} {
		found = preferred(found)
		if len(found) == 1 {
			return found[0], nil
		}
		if n, same := oneImage(c, found); same {
			return n, nil
		}
		if len(found) > 1 {
			return graph.Node{}, ambiguous(text, found)
		}
	}
	return graph.Node{}, &cause.CodeError{Code: "nothing-named", Err: &rules.PolicyError{Message: nothing(text)}}
}

func nothing(text string) string {
	if len(text) < minFind {
		return fmt.Sprintf("nothing in the store is named %q; of a longer name or an ID give at least %d characters", text, minFind)
	}
	return fmt.Sprintf("nothing in the store is named %q or starts with it: give an image, a container, a digest, a snapshot or a lease", text)
}

// oneImage says whether all of these are names of one image in one namespace, and
// which of them stands for it: the first one that a person would type.
func oneImage(c *gc.Collector, found []graph.Node) (graph.Node, bool) {
	if len(found) == 0 || found[0].Kind != graph.KindImage {
		return graph.Node{}, false
	}
	target := c.Spaces[found[0].Namespace].Records[found[0].Key].Target.Digest
	for _, n := range found {
		if n.Namespace != found[0].Namespace || c.Spaces[n.Namespace].Records[n.Key].Target.Digest != target {
			return graph.Node{}, false
		}
	}
	return slices.MinFunc(found, func(a, b graph.Node) int {
		return cmp.Or(strings.Count(a.Key, "@")-strings.Count(b.Key, "@"), strings.Compare(a.Key, b.Key))
	}), true
}

// calledBy returns the IDs of the containers that their clients call by the name.
func calledBy(s *gc.Space, name string) map[string]bool {
	ids := make(map[string]bool)
	for _, use := range s.Uses {
		if use.Holder.Name == name {
			ids[use.Holder.ID] = true
		}
	}
	return ids
}

// eachObject calls visit for everything in the namespace.
func eachObject(s *gc.Space, visit func(graph.Node)) {
	for _, image := range s.Images {
		visit(graph.Node{Kind: graph.KindImage, Namespace: s.Name, Key: image.Name})
	}
	for _, container := range s.Containers {
		visit(graph.Node{Kind: graph.KindContainer, Namespace: s.Name, Key: container.ID})
	}
	for _, sandbox := range s.Sandboxes {
		visit(graph.Node{Kind: graph.KindSandbox, Namespace: s.Name, Key: sandbox.ID})
	}
	for _, lease := range s.Leases {
		visit(graph.Node{Kind: graph.KindLease, Namespace: s.Name, Key: lease.ID})
	}
	for _, ingest := range s.Ingests {
		visit(graph.Node{Kind: graph.KindIngest, Namespace: s.Name, Key: ingest.Ref})
	}
	for dgst := range s.Blobs {
		visit(graph.Node{Kind: graph.KindContent, Namespace: s.Name, Key: dgst.String()})
	}
	for key := range s.Snapshots {
		visit(graph.Node{Kind: graph.KindSnapshot, Namespace: s.Name, Key: key.String()})
	}
}

func matches(n graph.Node, text, full string) bool {
	if n.Key == text || n.Kind == graph.KindImage && full != "" && n.Key == full {
		return true
	}
	return n.Kind == graph.KindSnapshot && inventory.ParseSnapshotKey(n.Key).Key == text
}

// minFind is the length of the shortest prefix that is looked up.
const minFind = 3

func begins(n graph.Node, text string) bool {
	if len(text) < minFind {
		return false
	}
	if strings.HasPrefix(n.Key, text) {
		return true
	}
	switch n.Kind {
	case graph.KindContent:
		return strings.HasPrefix(rules.Encoded(digest.Digest(n.Key)), text)
	case graph.KindSnapshot:
		key := inventory.ParseSnapshotKey(n.Key).Key
		return strings.HasPrefix(key, text) || strings.HasPrefix(key, "sha256:"+text)
	case graph.KindImage:
		return strings.HasPrefix(rules.Familiar(n.Key), text)
	default:
		return false
	}
}

// ends says whether the text is what a name ends with: the repository without
// its registry, with the tag or without.
func ends(n graph.Node, text string) bool {
	return n.Kind == graph.KindImage && len(text) >= minFind &&
		(strings.HasSuffix(n.Key, "/"+text) || strings.Contains(n.Key, "/"+text+":"))
}

// preferred drops the objects of a lower kind where the same text names one
// that a person is more likely to mean: the record rather than its content,
// a container rather than its snapshot or sandbox.
func preferred(found []graph.Node) []graph.Node {
	for _, k := range []graph.Kind{graph.KindImage, graph.KindContainer, graph.KindSandbox, graph.KindLease, graph.KindContent} {
		var of []graph.Node
		seen := make(map[string]bool)
		for _, n := range found {
			// A blob that several namespaces know is one object.
			if n.Kind == k && !(k == graph.KindContent && seen[n.Key]) {
				of = append(of, n)
				seen[n.Key] = true
			}
		}
		if len(of) > 0 {
			return of
		}
	}
	return found
}

// maxCandidates bounds how many of an ambiguous text's meanings are listed.
const maxCandidates = 20

func ambiguous(text string, found []graph.Node) error {
	slices.SortFunc(found, gc.CompareNodes)
	e := &AmbiguousError{Text: text, Total: len(found)}
	for _, n := range found[:min(len(found), maxCandidates)] {
		e.Candidates = append(e.Candidates, n.Object())
	}
	return e
}
