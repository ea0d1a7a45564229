package htmlreport

import "time"

// data is what the page's script reads. Its names are short because a large
// store repeats them tens of thousands of times. Text is as visible returns
// it; bytes are numbers.
type data struct {
	Kind      string      `json:"kind"`
	Title     string      `json:"title"`
	Host      string      `json:"host,omitempty"`
	Generated time.Time   `json:"generated"`
	Facts     [][2]string `json:"facts"`
	Cards     []card      `json:"cards"`
	Holders   []holder    `json:"holders"`
	// Strings are texts that occur often; others refer to them by index.
	Strings  []string  `json:"strings"`
	Spaces   []string  `json:"spaces"` // the namespaces
	Images   []image   `json:"images"`
	Rows     []row     `json:"rows"`
	Tree     *node     `json:"tree"`
	Messages []message `json:"messages"`
	Held     []heldBy  `json:"held"`
}

// card is one of the large numbers at the top.
type card struct {
	Label string `json:"label"`
	Bytes int64  `json:"bytes"`
	// Of, if not zero, is what Bytes is a part of.
	Of   int64  `json:"of,omitempty"`
	Note string `json:"note,omitempty"`
	Tone string `json:"tone,omitempty"`
}

// holder is a part of the bar that shows who holds the store's bytes.
type holder struct {
	Label    string `json:"label"`
	Key      string `json:"key"`
	Bytes    int64  `json:"bytes"`
	Content  int64  `json:"content"`
	Snapshot int64  `json:"snapshot"`
}

// image is one target in a namespace with its sizes.
type image struct {
	Space   int      `json:"s"`
	Names   []string `json:"n,omitempty"` // the best known first; without a plan only
	Target  string   `json:"t"`
	Created int64    `json:"c,omitempty"` // Unix seconds
	Used    int64    `json:"l,omitempty"` // the last use that is known, too
	Total   int64    `json:"b"`
	Unique  int64    `json:"u"`
	Shared  int64    `json:"h"`
}

// row is a line of the table of decisions.
type row struct {
	Space int `json:"s"`
	// Name is empty for the first of the image's names.
	Name string `json:"n,omitempty"`
	// Image is the index of its sizes in Images, -1 if they are not known.
	Image  int    `json:"i"`
	Action string `json:"a"`
	// Frees is what the record adds to what is freed: of several names of an image one
	// has it, so that all add up.
	Frees   int64  `json:"f,omitempty"`
	Reason  int    `json:"r"`
	Details []int  `json:"d,omitempty"`
	Target  string `json:"t,omitempty"` // without an image
}

// node is a part of the treemap: the store, a namespace, a registry, an organisation,
// a repository, an image, what several of those share, or a group of objects that no
// image has.
type node struct {
	Name     string   `json:"n"`
	Kind     nodeKind `json:"k"`
	Image    *int     `json:"i,omitempty"`
	Children []*node  `json:"c,omitempty"`
	Leaves   []leaf   `json:"l,omitempty"`
	// Rest sums up the objects that are too small to be listed one by one: state,
	// how many, bytes.
	Rest [][3]int64 `json:"z,omitempty"`

	groups map[string]*node
}

type nodeKind string

const (
	nodeStore        nodeKind = "store"
	nodeNamespace    nodeKind = "namespace"
	nodeRegistry     nodeKind = "registry"
	nodeOrganisation nodeKind = "organisation"
	nodeRepository   nodeKind = "repository"
	nodeImage        nodeKind = "image"
	nodeShared       nodeKind = "shared"
	nodeGroup        nodeKind = "group"
	// nodeElsewhere is of namespaces that were not chosen.
	nodeElsewhere nodeKind = "elsewhere"
)

// leaf is one object: its kind, layer, bytes, state, ID, how many images have
// it, and who holds it (-1 for images), each as in [data]; of a layer whose origin is
// known also the command that made it, and when, in Unix seconds.
type leaf []any

// message is something to know beside the numbers.
type message struct {
	Level string   `json:"level"` // "error", "warning" or "note"
	Title string   `json:"title"`
	Lines []string `json:"lines"`
}

// heldBy is what one holder keeps of the removed images.
type heldBy struct {
	Holder  string `json:"holder"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
}
