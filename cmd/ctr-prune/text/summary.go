package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Limits on what the confirmation lists.
const (
	mostLargest = 5
	mostReasons = 5
)

// Summary shows how many images would be removed, what that frees, those that free
// most, and what is kept and why. It is shown before the confirmation.
func Summary(out *terminal.Printer, doc prune.Document, how How) {
	v := document{out: out, how: how}
	doc = named(doc)
	v.largest(doc)
	v.reasons(doc)
	v.foresee(doc)
	v.out.Wrapped(v.out.Paint(terminal.Yellow, "WARNING!")+terminal.Quote(" "+warning(doc)), "")
}

// largest lists the images that free most, or those that come first in the order that
// was asked for.
func (v document) largest(doc prune.Document) {
	images, _ := imagesOf(doc.Images)
	images = slices.DeleteFunc(images, func(i *image) bool { return len(i.going) == 0 })
	if len(images) == 0 {
		return
	}
	slices.SortFunc(images, ordering(cmp.Or(v.how.Sort, "frees")))
	shown := images[:min(cmp.Or(v.how.Top, mostLargest), len(images))]
	switch {
	case len(shown) == len(images):
		v.out.Line("To be removed:")
	case v.how.Sort == "":
		v.out.Sentence("The largest of the %d images to be removed:", len(images))
	default:
		v.out.Sentence("The first of the %d images to be removed:", len(images))
	}
	v.goingTable(doc, shown, images[len(shown):])
	if slices.ContainsFunc(shown, func(i *image) bool { return i.atLeast }) {
		v.out.Sentence(boundsExplained)
	}
	v.out.Line("")
}

// goingTable shows images that go, and how much the others free.
func (v document) goingTable(doc prune.Document, shown, others []*image) {
	t := terminal.Table{Columns: []terminal.Column{{Title: "SIZE", Right: true}, {Title: "FREES", Right: true}, {Title: "CREATED"}, {Title: "USED"}, {Title: "NAME", Least: terminal.LeastName, Middle: true}}}
	known := v.sorted("USED")
	for _, i := range shown {
		known = known || !i.used.IsZero()
		t.Add(terminal.SizeAtLeast(i.size, i.atLeast), terminal.Size(i.frees), terminal.Ago(doc.Time, i.created), used(doc.Time, i.used), v.title(doc, i))
	}
	var rest int64
	for _, i := range others {
		rest = saturated(rest, i.frees)
	}
	if len(others) > 0 {
		t.Add("", terminal.Size(rest), "", "", fmt.Sprintf("and %d more", len(others)))
	}
	if !known {
		t.Leave("USED")
	}
	t.Narrow(v.out, slices.DeleteFunc([]string{"USED", "CREATED", "SIZE"}, v.sorted)...)
	t.Print(v.out)
}

// title is the name of an image that goes, and how many more of its names do.
func (v document) title(doc prune.Document, i *image) string {
	return v.out.Name(inNamespace(doc, i.key.namespace, i.going[0])) + more(i.going)
}

// more says how many names there are besides the first.
func more(names []string) string {
	if len(names) < 2 {
		return ""
	}
	return fmt.Sprintf(" (+%d)", len(names)-1)
}

// reasons counts what is kept by its reason.
func (v document) reasons(doc prune.Document) {
	counts := make(map[string]int)
	for _, image := range doc.Images {
		if image.Action == prune.Keep {
			counts[image.Reason]++
		}
	}
	if len(counts) == 0 {
		return
	}
	var texts []string
	for reason := range counts {
		texts = append(texts, reason)
	}
	slices.SortFunc(texts, func(a, b string) int {
		return cmp.Or(-cmp.Compare(counts[a], counts[b]), strings.Compare(a, b))
	})
	v.out.Line("To be kept: %s", terminal.Count(doc.Counts.Keep, "image record"))
	for _, text := range texts[:min(mostReasons, len(texts))] {
		v.out.Wrapped(terminal.Quote(fmt.Sprintf("  %d: %s", counts[text], v.out.Prose(text))), "     ")
	}
	if rest := len(texts) - mostReasons; rest > 0 {
		v.out.Line("  and %s more", terminal.Count(rest, "reason"))
	}
	v.out.Line("")
}

// warning says in a sentence what happens after a yes.
func warning(doc prune.Document) string {
	if doc.Counts.Remove+doc.Counts.StandIn == 0 {
		return fmt.Sprintf("This will collect the garbage of %s.", source(doc))
	}
	return fmt.Sprintf("This will remove %d of %s from %s. Type d for details.",
		doc.Counts.Remove+doc.Counts.StandIn, terminal.Count(doc.Counts.Images, "image record"), source(doc))
}
