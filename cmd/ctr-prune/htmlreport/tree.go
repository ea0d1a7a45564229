package htmlreport

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune"
)

// maxLeaves is how many objects, the largest, a treemap shows one by one; it
// limits the size of the file, and more could not be seen.
const maxLeaves = 10000

// mixed marks an object that several namespaces, repositories or images share.
const mixed = prune.OfSeveral

// place is the smallest part of the treemap that alone contains an object; -1
// is none. Each object is drawn only there, so that the areas add up to what is
// on disk.
type place struct{ space, repository, image int }

// forest builds the treemap.
type forest struct {
	b            *builder
	root         *node
	repositories []string // by number, as "namespace/repository" is one number
	numbers      map[string]int
	homes        []place // of the images
}

func (b *builder) tree() *node {
	u := b.page.Usage
	if u == nil {
		return nil
	}
	f := &forest{b: b, root: &node{Name: "all", Kind: nodeStore}, numbers: make(map[string]int)}
	for i, img := range u.Images {
		f.homes = append(f.homes, f.home(i, img))
	}
	spaces := u.Common(func(i int) int { return f.homes[i].space })
	repositories := u.Common(func(i int) int { return f.homes[i].repository })
	images := u.Common(func(i int) int { return i })
	for i, o := range u.Objects {
		f.put(f.at(place{spaces[i], repositories[i], images[i]}, o), i, o)
	}
	f.root.sort()
	return f.root
}

func (f *forest) home(i int, img prune.ImageUsage) place {
	repository, _ := split(best(img.Names))
	key := img.Namespace + "\x00" + repository
	number, known := f.numbers[key]
	if !known {
		number = len(f.repositories)
		f.numbers[key] = number
		f.repositories = append(f.repositories, repository)
	}
	return place{f.b.space(img.Namespace), number, i}
}

// at returns the node of a place.
func (f *forest) at(p place, o prune.ObjectUsage) *node {
	if p.space == -1 {
		return f.outside(o)
	}
	if p.space == mixed {
		return f.root.group("shared by namespaces", nodeGroup)
	}
	n := f.root.group(f.b.data.Spaces[p.space], nodeNamespace)
	if p.repository == mixed {
		return n.group("shared by repositories", nodeGroup)
	}
	n = n.group(visible(f.repositories[p.repository]), nodeRepository)
	if p.image == mixed {
		return n.group("shared by these images", nodeGroup)
	}
	img := f.b.page.Usage.Images[p.image]
	leaf := n.group(fmt.Sprintf("\x00%d", p.image), nodeImage)
	if leaf.Image == nil {
		_, rest := split(best(img.Names))
		leaf.Name = imageName(rest, img)
		leaf.Image = &p.image
	}
	return leaf
}

func imageName(rest string, img prune.ImageUsage) string {
	name := visible(rest)
	if name == "" {
		name = short(img.Target.String())
	}
	if more := len(img.Names) - 1; more > 0 {
		return fmt.Sprintf("%s +%d", name, more)
	}
	return name
}

// outside returns the node of an object that no listed image has.
func (f *forest) outside(o prune.ObjectUsage) *node {
	n := f.root
	if len(o.Namespaces) == 1 {
		n = n.group(f.b.data.Spaces[f.b.space(o.Namespaces[0])], nodeNamespace)
	}
	switch o.Class {
	case prune.HeldByNothing:
		return n.group("unreferenced", nodeGroup)
	case prune.HeldByImages:
		return n.group("images of other namespaces", nodeGroup)
	default:
		return n.group("held by "+o.Class.String(), nodeGroup)
	}
}

// put adds an object to a node.
func (f *forest) put(n *node, i int, o prune.ObjectUsage) {
	state, gone := f.b.state(o)
	if i >= maxLeaves {
		n.rest(state, o.Bytes)
		return
	}
	id := o.Digest.String()
	if o.Snapshot != "" {
		id = o.Snapshot
	}
	holder := -1
	switch {
	case gone != "":
		holder = f.b.text(gone)
	case state == stateNumber(prune.StateHeld) || o.Class != prune.HeldByImages && o.Holder != "":
		holder = f.b.text(o.Holder)
	}
	n.Leaves = append(n.Leaves, leaf{kindNumber(string(o.Kind)), o.Layer, max(o.Bytes, 0), state, objectID(o, id), o.Images, holder})
}

// objectID shortens digests: the page has to distinguish objects, not to find
// them.
func objectID(o prune.ObjectUsage, id string) string {
	if o.Snapshot == "" || o.Layer > 0 {
		return short(id)
	}
	return visible(id)
}

func (n *node) group(name string, kind nodeKind) *node {
	key := string(kind) + name
	if n.groups == nil {
		n.groups = make(map[string]*node)
	}
	child := n.groups[key]
	if child == nil {
		child = &node{Name: name, Kind: kind}
		n.groups[key] = child
		n.Children = append(n.Children, child)
	}
	return child
}

func (n *node) rest(state int, bytes int64) {
	for i := range n.Rest {
		if n.Rest[i][0] == int64(state) {
			n.Rest[i][1]++
			n.Rest[i][2] = add(n.Rest[i][2], bytes)
			return
		}
	}
	n.Rest = append(n.Rest, [3]int64{int64(state), 1, max(bytes, 0)})
}

// sort puts children in an order that does not depend on sizes alone.
func (n *node) sort() {
	slices.SortStableFunc(n.Children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	for _, child := range n.Children {
		child.sort()
	}
}

// add adds sizes without overflow, because a hostile store may contain any
// number.
func add(a, b int64) int64 {
	if sum := a + max(b, 0); sum >= a {
		return sum
	}
	return 1<<63 - 1
}
