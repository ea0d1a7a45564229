package testworld

import (
	"fmt"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Linked are stores in which images refer to each other: of n links each,
// built so that to look at each image by itself costs the square of n.
var Linked = map[string]func(n int) []Thing{
	// Each link has a config, a layer and the next link.
	"chain": func(n int) []Thing {
		var all []Thing
		for i := range n {
			own := fmt.Sprint(" of link ", i)
			all = append(all,
				Blob(LinkName(i), RefContent("config"+own, ".config"), RefContent("layer"+own, ".l.0"), RefContent(LinkName(i+1), ".m.0")),
				Blob("config"+own), Blob("layer"+own), Record(RecordName(i), LinkName(i)))
		}
		return all
	},
	"ring": func(n int) []Thing {
		var all []Thing
		for i := range n {
			all = append(all, Blob(LinkName(i), RefContent(LinkName((i+1)%n), ".m.0")), Record(RecordName(i), LinkName(i)))
		}
		return all
	},
	// Many images have one chain without names, from its top on.
	"star": func(n int) []Thing {
		var all []Thing
		for i := range n {
			top := fmt.Sprint("top ", i)
			all = append(all, Blob(LinkName(i), RefContent(LinkName(i+1), ".m.0")),
				Blob(top, RefContent("config of "+top, ".m.0"), RefContent(LinkName(0), ".m.1")), Blob("config of "+top), Record(RecordName(i), top))
		}
		return all
	},
	// Each storey has two images, both made of both of the next.
	"ladder": func(n int) []Thing {
		var all []Thing
		for i := range n {
			for _, side := range []string{"left ", "right "} {
				all = append(all, Record(RecordName(i)+side[:1], side+LinkName(i)),
					Blob(side+LinkName(i), RefContent("left "+LinkName(i+1), ".m.0"), RefContent("right "+LinkName(i+1), ".m.1")))
			}
		}
		return all
	},
	// Below one image a chain without names, and below that many images.
	"fan": func(n int) []Thing {
		all := []Thing{Record("x.example/top:1", LinkName(0))}
		ground := Blob(LinkName(n))
		for i := range n {
			all = append(all, Blob(LinkName(i), RefContent(LinkName(i+1), ".m.0")), Record(RecordName(i), fmt.Sprint("leaf ", i)), Blob(fmt.Sprint("leaf ", i)))
			RefContent(fmt.Sprint("leaf ", i), fmt.Sprint(".m.", i))(&ground)
		}
		return append(all, ground)
	},
	// Many signatures of the ground of a chain of images.
	"signed": func(n int) []Thing {
		all := []Thing{Blob(LinkName(n))}
		for i := range n {
			signature := fmt.Sprint("signature ", i)
			all = append(all, Blob(LinkName(i), RefContent(LinkName(i+1), ".m.0")), Record(RecordName(i), LinkName(i)),
				Blob(signature), Record(fmt.Sprintf("sig.example/s%d:sha256-%s.sig", i, Digest(LinkName(n)).Encoded()), signature))
		}
		return all
	},
	// One image of many names, and as many that are part of it.
	"names": func(n int) []Thing {
		top := Blob("top")
		all := []Thing{}
		for i := range n {
			RefContent(LinkName(i), fmt.Sprint(".m.", i))(&top)
			all = append(all, Record(RecordName(i), "top"), Blob(LinkName(i)), Record(fmt.Sprintf("part.example/a:%d", i), LinkName(i)))
		}
		return append(all, top)
	},
	// Snapshots on each other, each that of an image.
	"snapshots": func(n int) []Thing {
		var all []Thing
		for i := range n {
			all = append(all, Snapshot(Digest(LinkName(i)).String(), ParentOf(i)), Blob(LinkName(i), RefSnapshot(Digest(LinkName(i)).String())), Record(RecordName(i), LinkName(i)))
		}
		return all
	},
}

// LinkName is the text of the blob of a link.
func LinkName(i int) string { return fmt.Sprint("link ", i) }

// RecordName is the name of the image of a link.
func RecordName(i int) string { return fmt.Sprintf("x.example/a:%05d", i) }

// ParentOf is the key of the snapshot below that of a link.
func ParentOf(i int) string {
	if i == 0 {
		return ""
	}
	return Digest(LinkName(i - 1)).String()
}

// LinkedInventory is what is read of such a store, with a container of one of its
// images.
func LinkedInventory(name string, n int) *inventory.Inventory {
	things := Linked[name](n)
	used := things[slices.IndexFunc(things, func(t Thing) bool { return t.What == graph.KindImage })]
	return World{"default": append(things, Container("c", used.Name, ""))}.Inventory()
}
