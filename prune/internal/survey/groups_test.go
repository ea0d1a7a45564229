package survey_test

import (
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

type usage = df.ImageUsage

// Sums of groups are what a collection frees without their images, what a plan frees
// of them, and what they refer to, each object once.
func TestGroupsSumUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces})
		tw.Untie(w)
		defer func() {
			if t.Failed() {
				t.Log(w)
			}
		}()
		inv := w.Inventory()
		s, all := surveyed(inv)
		parent, of := randomGroups(t, len(s.Usage.Images))
		c := gc.NewCollector(inv, tw.Noon)
		for g, group := range s.Groups(parent, of) {
			var images []int
			for i := range of {
				if within(parent, of[i], g) {
					images = append(images, i)
				}
			}
			want, bound := sizeOf(c, s.Usage.Images, images)
			if group.Bound || bound {
				continue
			}
			if group.Amount != want {
				t.Fatalf("group %d of %v has %+v, want %+v", g, images, group.Amount, want)
			}
			if want := c.Frees(without(c, s.Usage.Images, images)).Amount().TotalBytes; group.UniqueBytes != want {
				t.Fatalf("group %d of %v has %d bytes of its own, a collection frees %d", g, images, group.UniqueBytes, want)
			}
			picked := s.Pick(images)
			alone := !slices.ContainsFunc(picked.Goes, func(i int) bool { return !slices.Contains(images, i) })
			if frees := picked.Frees.TotalBytes; alone && len(all.Ended()) == 0 && frees > group.ReclaimableBytes {
				t.Fatalf("picking %v frees %d bytes, more than the %d that can be reclaimed", images, frees, group.ReclaimableBytes)
			}
			if want := all.Predicted().TotalBytes; g == 0 && len(all.Ended()) == 0 && group.ReclaimableBytes != want {
				t.Fatalf("%d bytes can be reclaimed of all images, want %d", group.ReclaimableBytes, want)
			}
		}
	})
}

// randomGroups puts images into groups, of which the first contains all others.
func randomGroups(t *rapid.T, images int) (parent, of []int) {
	parent = []int{-1}
	for range tw.Uniform(t, 6, "groups") {
		parent = append(parent, tw.Uniform(t, len(parent), "parent"))
	}
	for range images {
		of = append(of, tw.Uniform(t, len(parent), "group"))
	}
	return parent, of
}

func within(parent []int, g, top int) bool {
	for ; g >= 0; g = parent[g] {
		if g == top {
			return true
		}
	}
	return false
}

// sizeOf is what images refer to, by a mark.
func sizeOf(c *gc.Collector, all []usage, images []int) (sum inventory.Amount, bound bool) {
	var targets []graph.Node
	for _, i := range images {
		targets = append(targets, graph.ContentNode(all[i].Namespace, all[i].Target))
		bound = bound || all[i].AtLeast
	}
	reached := c.Mark(targets, gc.Change{})
	objects := inventory.NewObjects()
	for n := range reached.All() {
		switch space := c.Spaces[n.Namespace]; n.Kind {
		case graph.KindContent:
			dgst := digest.Digest(n.Key)
			blob, known := space.Blobs[dgst]
			if _, lost := c.Inv.Lost[dgst]; known && !lost {
				objects.Blobs[dgst] = blob.Size
			}
		case graph.KindSnapshot:
			if id := inventory.SnapshotOf(n); c.Exists(id) {
				objects.Snapshots[id] = c.Inv.Size(id)
			}
		}
	}
	return objects.Amount(), bound
}

// without removes all names of images.
func without(c *gc.Collector, all []usage, images []int) gc.Change {
	ch := gc.Change{Removed: make(map[graph.Node]bool)}
	for _, i := range images {
		for _, name := range all[i].Names {
			ch.Removed[graph.ImageNode(all[i].Namespace, name)] = true
		}
	}
	return ch
}
