package prune

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Object names one thing in a store.
type Object struct {
	// Kind is "image", "content", "snapshot", "container", "sandbox", "lease"
	// or "upload"; in a chain also [KindOmitted].
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	// Name is the record's name, the digest, the snapshot as
	// "snapshotter/key", or the ID.
	Name string `json:"name"`
}

func (o Object) String() string {
	return fmt.Sprintf("%s %s (namespace %s)", o.Kind, o.Name, o.Namespace)
}

var kindNames = map[kind]string{
	kindImage: "image", kindContent: "content", kindSnapshot: "snapshot", kindContainer: "container",
	kindSandbox: "sandbox", kindLease: "lease", kindIngest: "upload",
}

func (n node) object() Object {
	return Object{Kind: kindNames[n.kind], Namespace: n.ns, Name: n.key}
}

// AmbiguousError says that a text names several objects.
type AmbiguousError struct {
	Text string
	// Candidates are the first of the objects, and Total how many there are.
	Candidates []Object
	Total      int
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q is ambiguous", e.Text)
}

// find resolves what a person types: the name of a record in any spelling, a
// container, a digest, a snapshot, a lease, or a beginning of one that no
// other shares, or the end of an image's name. Exact names win over
// beginnings, and these over ends.
func (c *collector) find(text string, namespaces []string) (node, error) {
	var exact, prefixed, ended []node
	for _, s := range c.order {
		if len(namespaces) > 0 && !slices.Contains(namespaces, s.Name) {
			continue
		}
		full, called := normalize(text), s.called(text)
		s.each(func(n node) {
			switch {
			case matches(n, text, full), n.kind == kindContainer && called[n.key]:
				exact = append(exact, n)
			case begins(n, text):
				prefixed = append(prefixed, n)
			case ends(n, text):
				ended = append(ended, n)
			}
		})
	}
	for _, found := range [][]node{exact, prefixed, ended} {
		found = preferred(found)
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return node{}, ambiguous(text, found)
		}
	}
	return node{}, &PolicyError{fmt.Sprintf("nothing in the store is named %q, or begins with it: give an image, a container, a digest, a snapshot or a lease", text)}
}

// called returns the IDs of the containers that their clients call by the name.
func (s *space) called(name string) map[string]bool {
	ids := make(map[string]bool)
	for _, use := range s.Uses {
		if use.Holder.Name == name {
			ids[use.Holder.ID] = true
		}
	}
	return ids
}

// each calls visit for everything in the namespace.
func (s *space) each(visit func(node)) {
	for _, image := range s.Images {
		visit(node{kind: kindImage, ns: s.Name, key: image.Name})
	}
	for _, container := range s.Containers {
		visit(node{kind: kindContainer, ns: s.Name, key: container.ID})
	}
	for _, sandbox := range s.Sandboxes {
		visit(node{kind: kindSandbox, ns: s.Name, key: sandbox.ID})
	}
	for _, lease := range s.Leases {
		visit(node{kind: kindLease, ns: s.Name, key: lease.ID})
	}
	for _, ingest := range s.Ingests {
		visit(node{kind: kindIngest, ns: s.Name, key: ingest.Ref})
	}
	for dgst := range s.Blobs {
		visit(node{kind: kindContent, ns: s.Name, key: dgst.String()})
	}
	for key := range s.Snapshots {
		visit(node{kind: kindSnapshot, ns: s.Name, key: key.String()})
	}
}

func matches(n node, text, full string) bool {
	if n.key == text || n.kind == kindImage && full != "" && n.key == full {
		return true
	}
	return n.kind == kindSnapshot && parseSnapshotKey(n.key).Key == text
}

// minFind is the shortest beginning that is looked up.
const minFind = 3

func begins(n node, text string) bool {
	if len(text) < minFind {
		return false
	}
	if strings.HasPrefix(n.key, text) {
		return true
	}
	switch n.kind {
	case kindContent:
		return strings.HasPrefix(encoded(digest.Digest(n.key)), text)
	case kindSnapshot:
		key := parseSnapshotKey(n.key).Key
		return strings.HasPrefix(key, text) || strings.HasPrefix(key, "sha256:"+text)
	case kindImage:
		return strings.HasPrefix(familiar(n.key), text)
	default:
		return false
	}
}

// ends says whether the text is what a name ends with: the repository without
// its registry, with the tag or without.
func ends(n node, text string) bool {
	return n.kind == kindImage && len(text) >= minFind &&
		(strings.HasSuffix(n.key, "/"+text) || strings.Contains(n.key, "/"+text+":"))
}

// preferred drops the objects of a lower kind where the same text names one
// that a person is more likely to mean: the record rather than its content,
// a container rather than its snapshot or sandbox.
func preferred(found []node) []node {
	for _, k := range []kind{kindImage, kindContainer, kindSandbox, kindLease, kindContent} {
		var of []node
		seen := make(map[string]bool)
		for _, n := range found {
			// A blob that several namespaces know is one object.
			if n.kind == k && !(k == kindContent && seen[n.key]) {
				of = append(of, n)
				seen[n.key] = true
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

func ambiguous(text string, found []node) error {
	slices.SortFunc(found, compareNodes)
	e := &AmbiguousError{Text: text, Total: len(found)}
	for _, n := range found[:min(len(found), maxCandidates)] {
		e.Candidates = append(e.Candidates, n.object())
	}
	return e
}
