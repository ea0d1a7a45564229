package htmlreport

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// maxLeaves is how many objects, the largest, a treemap shows one by one; it
// limits the size of the file, and more could not be seen.
const maxLeaves = 10000

// mixed marks an object that several namespaces, repositories or images share, none one
// that no listed image has: what [prune.DiskUsage.Common] says of it.
const (
	mixed = prune.OfSeveral
	none  = -1
)

// levels are what a place of the treemap lies in, from the outside. A place without a
// registry or an organisation has an empty name there, and no part for it.
var levels = [...]nodeKind{nodeNamespace, nodeRegistry, nodeOrganisation, nodeRepository, nodeImage}

// place is the way to a part of the treemap, by the numbers of the names at each level.
type place [len(levels)]int

// forest builds the treemap. Each object is drawn only in the smallest part that alone
// contains it, so that the areas add up to what is on disk.
type forest struct {
	b    *builder
	root *node
	// names are those at each level, by number; the same name in another part is
	// another number.
	names   [len(levels)][]string
	numbers map[string]int
	homes   []place // of the images
	// chosen are the namespaces whose images are listed, used the images in use.
	chosen map[string]bool
	used   []bool
}

func (b *builder) tree() *node {
	u := b.page.Usage
	if u == nil {
		return nil
	}
	f := &forest{b: b, root: &node{Name: "all", Kind: nodeStore}, numbers: make(map[string]int), chosen: make(map[string]bool), used: b.inUse()}
	for _, ns := range u.Namespaces {
		f.chosen[ns.Name] = true
	}
	for i, img := range u.Images {
		f.homes = append(f.homes, f.home(i, img))
	}
	var common [len(levels)][]int
	for level := range levels {
		common[level] = u.Common(func(i int) int { return f.homes[i][level] })
	}
	unused := u.Common(func(i int) int { return number(!f.used[i]) })
	for i, o := range u.Objects {
		var p place
		for level := range levels {
			p[level] = common[level][i]
		}
		f.put(f.at(p, o), i, o, f.stateOf(o, unused[i]))
	}
	f.addUnknown(u)
	f.nameElsewhere()
	f.root.join()
	f.root.sort()
	return f.root
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// home is the place of an image.
func (f *forest) home(i int, img prune.ImageUsage) place {
	name := f.b.split(best(img.Names))
	var p place
	way := ""
	for level, part := range [len(levels)]string{img.Namespace, name.registry, name.organisation, name.repository, fmt.Sprint(i)} {
		way += "\x00" + part
		number, known := f.numbers[way]
		if !known {
			number = len(f.names[level])
			f.numbers[way] = number
			f.names[level] = append(f.names[level], visible(part))
		}
		p[level] = number
	}
	return p
}

// at returns the node of a place.
func (f *forest) at(p place, o prune.ObjectUsage) *node {
	if p[0] == none {
		return f.outside(o)
	}
	n := f.root
	for level, kind := range levels[:len(levels)-1] {
		if p[level] == mixed {
			return n.group("shared", nodeShared)
		}
		if name := f.names[level][p[level]]; name != "" {
			n = n.group(name, kind)
		}
	}
	image := p[len(levels)-1]
	if image == mixed {
		return n.group("shared", nodeShared)
	}
	// The numbers of images are those of Usage: each is a name of its own.
	img := f.b.page.Usage.Images[image]
	leaf := n.group(fmt.Sprintf("\x00%d", image), nodeImage)
	if leaf.Image == nil {
		leaf.Name = imageName(f.b.split(best(img.Names)).rest, img)
		leaf.Image = &image
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

// outside returns the node of an object that no listed image has. Namespaces that were
// not chosen are one part, in which each is one more.
func (f *forest) outside(o prune.ObjectUsage) *node {
	if !f.listed(o) {
		other := f.root.group(elsewhere, nodeElsewhere)
		if len(o.Namespaces) > 1 {
			return other.group("shared", nodeShared)
		}
		return other.group(visible(o.Namespaces[0]), nodeElsewhere)
	}
	n := f.root
	if len(o.Namespaces) == 1 {
		n = n.group(f.b.data.Spaces[f.b.space(o.Namespaces[0])], nodeNamespace)
	}
	switch o.Class {
	case prune.HeldByNothing:
		return n.group("unreferenced", nodeGroup)
	case prune.HeldByImages:
		return n.group("images of other namespaces", nodeGroup)
	case prune.HeldByContainers:
		return n.group("written by containers", nodeGroup)
	default:
		return n.group("held by "+o.Class.String(), nodeGroup)
	}
}

// elsewhere is what the namespaces that were not chosen are called until it is known
// how many there are.
const elsewhere = "namespaces not chosen"

func (f *forest) nameElsewhere() {
	for _, n := range f.root.Children {
		if n.Kind == nodeElsewhere {
			n.Name = plural(len(n.Children), "namespace") + " not chosen"
		}
	}
}

// listed says that an object is of a namespace that was chosen.
func (f *forest) listed(o prune.ObjectUsage) bool {
	return slices.ContainsFunc(o.Namespaces, func(name string) bool { return f.chosen[name] })
}

// addUnknown adds what is on the disk and containerd does not know, which is no object.
func (f *forest) addUnknown(u *prune.DiskUsage) {
	for _, h := range u.Holders {
		if h.Class == prune.UnknownFiles && h.TotalBytes > 0 {
			n := f.root.group(h.Class.String(), nodeGroup)
			n.Rest = append(n.Rest, [3]int64{stateGarbage, int64(h.Blobs + h.Snapshots), h.TotalBytes})
		}
	}
}

// put adds an object to a node.
func (f *forest) put(n *node, i int, o prune.ObjectUsage, state int) {
	if i >= maxLeaves || state == stateElsewhere {
		n.rest(state, o.Bytes)
		return
	}
	id := o.Digest.String()
	if o.Snapshot != "" {
		id = o.Snapshot
	}
	holder := -1
	switch {
	case state == stateHeld && o.State == prune.StateReclaimable:
		holder = f.b.text(f.b.survived())
	case state == stateHeld || o.Class != prune.HeldByImages && o.Holder != "":
		holder = f.b.text(o.Holder)
	}
	l := leaf{kindNumber(string(o.Kind)), o.Layer, max(o.Bytes, 0), state, objectID(o, id), o.Images, holder}
	if o.Command != "" {
		l = append(l, f.b.text(o.Command), unix(o.BuiltAt))
	}
	n.Leaves = append(n.Leaves, l)
}

// unix is a time in seconds, 0 if it is not known.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
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
