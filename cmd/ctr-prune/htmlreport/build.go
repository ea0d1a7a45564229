package htmlreport

import (
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// builder converts a page to its data.
type builder struct {
	page  Page
	data  data
	texts map[string]int
	known map[string]int // namespaces
	// images finds an image of Usage by namespace and target.
	images map[imageKey]int
	// measured says that freed is known.
	measured bool
	freed    map[objectKey]bool
	// removed are the records that were deleted; spared are those that were to be
	// removed but were not, with the reason.
	removed map[recordKey]bool
	spared  map[recordKey]string
}

type imageKey struct {
	space  string
	target digest.Digest
}

type objectKey struct {
	digest          digest.Digest
	space, snapshot string
}

func build(page Page) data {
	b := &builder{
		page: page, texts: make(map[string]int), known: make(map[string]int),
		images: make(map[imageKey]int), freed: make(map[objectKey]bool),
		removed: make(map[recordKey]bool), spared: make(map[recordKey]string),
	}
	b.data = data{
		Kind: page.kind(), Title: visible(page.title()), Host: visible(page.Host), Generated: page.Generated.UTC(),
		Strings: []string{}, Spaces: []string{}, Images: []image{}, Rows: []row{},
	}
	if d := page.Document; d != nil {
		b.measured = d.Kind == prune.DocumentReport && d.Measured
		b.learn(d)
	}
	if page.kind() == kindNode {
		b.data.Facts, b.data.Cards, b.data.Holders, b.data.Messages, b.data.Held = [][2]string{}, []card{}, []holder{}, []message{}, []heldBy{}
		return b.data
	}
	b.addImages()
	b.addRows()
	b.data.Facts = b.facts()
	b.data.Cards = b.cards()
	b.data.Holders = b.holders()
	b.data.Tree = b.tree()
	b.data.Messages = b.messages()
	b.data.Held = b.held()
	return b.data
}

// text returns the index of a text in the table of strings.
func (b *builder) text(s string) int {
	i, ok := b.texts[s]
	if !ok {
		i = len(b.data.Strings)
		b.texts[s] = i
		b.data.Strings = append(b.data.Strings, visible(s))
	}
	return i
}

// space returns the index of a namespace.
func (b *builder) space(name string) int {
	i, ok := b.known[name]
	if !ok {
		i = len(b.data.Spaces)
		b.known[name] = i
		b.data.Spaces = append(b.data.Spaces, visible(name))
	}
	return i
}

func (b *builder) addImages() {
	if b.page.Usage == nil {
		return
	}
	for i, u := range b.page.Usage.Images {
		img := image{
			Space: b.space(u.Namespace), Target: visible(u.Target.String()),
			Total: u.TotalBytes, Unique: u.UniqueBytes, Shared: u.SharedBytes,
		}
		img.Created, img.Used = unix(u.CreatedAt), unix(u.LastUsedAt)
		if b.page.Document == nil { // else the rows have the names
			img.Names = append(img.Names, compact(best(u.Names), u.Target))
			for _, name := range u.Names {
				if name != best(u.Names) {
					img.Names = append(img.Names, compact(name, u.Target))
				}
			}
		}
		b.data.Images = append(b.data.Images, img)
		b.images[imageKey{u.Namespace, u.Target}] = i
	}
}

// addRows adds the table: the decisions about records or, without a plan, the
// images with what a prune of all unused ones would do.
func (b *builder) addRows() {
	if b.page.Document == nil {
		for i, u := range b.page.Usage.Images {
			action := prune.Keep
			if u.Unused {
				action = prune.Remove
			}
			b.data.Rows = append(b.data.Rows, row{
				Space: b.space(u.Namespace), Image: i,
				Action: string(action), Reason: b.text(u.Reason), Frees: u.ReclaimableBytes,
			})
		}
		return
	}
	for _, d := range b.page.Document.Images {
		action, reason := b.done(d)
		r := row{Space: b.space(d.Namespace), Name: compact(d.Name, d.Target), Image: -1, Action: action, Reason: b.text(reason)}
		if i, ok := b.images[imageKey{d.Namespace, d.Target}]; ok {
			r.Image = i
			if u := b.page.Usage.Images[i]; len(u.Names) > 0 && d.Name == u.Names[0] {
				r.Frees = u.ReclaimableBytes
			}
		} else {
			r.Target = visible(d.Target.String())
		}
		for _, detail := range d.Details {
			r.Details = append(r.Details, b.text(detail.Reason))
		}
		if d.StandIn != "" {
			r.Details = append(r.Details, b.text("its stand-in is "+d.StandIn))
		}
		b.data.Rows = append(b.data.Rows, r)
	}
}

// facts say what was read, and how.
func (b *builder) facts() [][2]string {
	var store prune.StoreInfo
	var facts [][2]string
	add := func(key, value string) {
		if value != "" {
			facts = append(facts, [2]string{key, visible(value)})
		}
	}
	var at time.Time
	if d := b.page.Document; d != nil {
		store, at = d.Store, d.Time
	} else {
		store, at = b.page.Usage.Store, b.page.Usage.Time
	}
	add("Store", store.Location)
	add("containerd", store.Version)
	add("Snapshotters", strings.Join(store.Snapshotters, ", "))
	if d := b.page.Document; d != nil {
		add("Namespaces", strings.Join(d.Policy.Namespaces, ", "))
		add("Filters", strings.Join(d.Policy.Filters, ", "))
	}
	add("As of", at.UTC().Format(time.RFC3339))
	return facts
}
