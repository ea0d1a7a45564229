package browse

import (
	"strings"
	"time"

	"github.com/distribution/reference"

	"github.com/ctr-prune/ctr-prune/prune"
)

// kind is what a line of the tree is.
type kind int

const (
	kindStore kind = iota
	kindSpace
	kindRegistry
	kindRepository
	kindImage
	kindPart
)

// node is a line of the tree, with those below it.
type node struct {
	kind   kind
	label  string
	parent *node
	kids   []*node
	open   bool
	// image is the place of an image in the survey, or -1.
	image int
	// part is a layer or the like of an image.
	part *prune.ObjectUsage

	sum prune.Group
	// created and used are the newest of all images below.
	created, used time.Time
	// images counts those below, unused those of them that may go; marked and going
	// are how many are marked, and how many go.
	images, unused, marked, going int
}

// noImage is the place of what is no image.
const noImage = -1

// tree is the store as it is shown.
type tree struct {
	root *node
	// of is the line of each image.
	of []*node
	// loose are children by parent and label while the tree grows.
	loose map[looseKey]*node
	nodes []*node
}

type looseKey struct {
	parent *node
	label  string
}

// newTree puts the images of a survey into a tree: namespace, registry, repository,
// image.
func newTree(s Survey, usage *prune.DiskUsage) *tree {
	t := &tree{root: &node{kind: kindStore, image: noImage, open: true}, loose: make(map[looseKey]*node), of: make([]*node, len(usage.Images))}
	t.nodes = append(t.nodes, t.root)
	for i := range usage.Images {
		image := &usage.Images[i]
		name := bestName(image.Names)
		registry, repository, tag := splitName(name)
		at := t.child(t.root, kindSpace, image.Namespace)
		at = t.child(at, kindRegistry, registry)
		at = t.child(at, kindRepository, repository)
		leaf := &node{kind: kindImage, label: tag, parent: at, image: i, created: image.CreatedAt, used: image.LastUsedAt}
		at.kids = append(at.kids, leaf)
		t.nodes = append(t.nodes, leaf)
		t.of[i] = leaf
	}
	t.loose = nil
	t.sumUp(s, usage)
	t.openFirst()
	return t
}

// child is the child of that name, a new one if there is none.
func (t *tree) child(parent *node, kind kind, label string) *node {
	key := looseKey{parent, label}
	if n := t.loose[key]; n != nil {
		return n
	}
	n := &node{kind: kind, label: label, parent: parent, image: noImage}
	parent.kids = append(parent.kids, n)
	t.loose[key] = n
	t.nodes = append(t.nodes, n)
	return n
}

// sumUp asks for the sums of all lines. A parent comes before its children.
func (t *tree) sumUp(s Survey, usage *prune.DiskUsage) {
	parents, of := make([]int, len(t.nodes)), make([]int, len(t.of))
	place := make(map[*node]int, len(t.nodes))
	for i, n := range t.nodes {
		place[n] = i
		parents[i] = -1
		if n.parent != nil {
			parents[i] = place[n.parent]
		}
		if n.image != noImage {
			of[n.image] = i
		}
	}
	for i, group := range s.Groups(parents, of) {
		t.nodes[i].sum = group
	}
	for i, leaf := range t.of {
		for n := leaf; n != nil; n = n.parent {
			n.images++
			if usage.Images[i].Unused {
				n.unused++
			}
			if leaf.created.After(n.created) {
				n.created = leaf.created
			}
			if leaf.used.After(n.used) {
				n.used = leaf.used
			}
		}
	}
	t.nodes = nil
}

// openFirst opens what would be opened first: as long as there is only one line, its
// children.
func (t *tree) openFirst() {
	n := t.root
	for n.open = true; len(n.kids) == 1 && n.kids[0].kind < kindImage; n = n.kids[0] {
		n.kids[0].open = true
	}
}

// visible lists the lines that are not within a closed one.
func (t *tree) visible() []*node {
	var all []*node
	var grow func(*node)
	grow = func(n *node) {
		for _, kid := range n.kids {
			all = append(all, kid)
			if kid.open {
				grow(kid)
			}
		}
	}
	grow(t.root)
	return all
}

// path names a line by those above it and itself, so that it is found in another tree.
func (n *node) path() string {
	if n.parent == nil || n.parent.kind == kindStore {
		return n.label
	}
	return n.parent.path() + "\x00" + n.label
}

// depth is how many lines are above.
func (n *node) depth() (depth int) {
	for at := n.parent; at != nil && at.kind != kindStore; at = at.parent {
		depth++
	}
	return depth
}

// withoutName is where images are that have no name that somebody would type.
const withoutName = "(no name)"

// otherNames is where those are whose names no client would understand.
const otherNames = "(other names)"

// bestName is the name that people know best: one with a tag, then one with a digest.
func bestName(names []string) string {
	best, most := "", -1
	for _, name := range names {
		score := 2
		switch {
		case strings.HasPrefix(name, "sha256:") || strings.HasPrefix(name, "<none>"):
			score = 0
		case strings.Contains(name, "@"):
			score = 1
		}
		if score > most {
			best, most = name, score
		}
	}
	return best
}

// longestName is more than any name of an image with its tag and digest has.
const longestName = 1024

// splitName splits a name into registry, repository, and what is left.
func splitName(name string) (registry, repository, rest string) {
	if len(name) <= longestName && !strings.HasPrefix(name, "sha256:") {
		if ref, err := reference.ParseNormalizedNamed(name); err == nil && strings.ContainsAny(name, "/.:@") {
			registry, repository = reference.Domain(ref), reference.Path(ref)
			if tagged, ok := ref.(reference.Tagged); ok {
				return registry, repository, tagged.Tag()
			}
			if digested, ok := ref.(reference.Digested); ok {
				return registry, repository, "@" + digested.Digest().String()
			}
			return registry, repository, "(no tag)"
		}
	}
	before, after, found := strings.Cut(name, "@")
	switch {
	case found && before != "":
		return withoutName, before, "@" + after
	case strings.HasPrefix(name, "sha256:"):
		return withoutName, "(other)", name
	}
	return otherNames, "(other)", name
}
