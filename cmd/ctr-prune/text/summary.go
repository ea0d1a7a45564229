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

// Summary shows how many images would be removed, what that frees, the largest
// of them, and what is kept and why. It is shown before the confirmation.
func Summary(out *terminal.Printer, doc prune.Document, going []prune.Going) {
	v := document{out: out}
	doc = named(doc)
	v.largest(doc, going)
	v.reasons(doc)
	v.foresee(doc)
	v.out.Wrapped(v.out.Paint(terminal.Yellow, "WARNING!")+terminal.Quote(" "+warning(doc)), "")
}

// largest lists the images whose removal frees most.
func (v document) largest(doc prune.Document, going []prune.Going) {
	if len(going) == 0 {
		return
	}
	sorted := slices.SortedFunc(slices.Values(going), func(a, b prune.Going) int {
		return cmp.Or(-cmp.Compare(a.Bytes, b.Bytes), strings.Compare(a.Name, b.Name))
	})
	if len(sorted) > mostLargest {
		v.out.Line("The largest of the %d images to be removed:", len(sorted))
	} else {
		v.out.Line("To be removed:")
	}
	t := terminal.Table{Columns: []terminal.Column{{Title: "SIZE", Right: true}, {Title: "NAME", Least: terminal.LeastName, Middle: true}}}
	for _, g := range sorted[:min(mostLargest, len(sorted))] {
		t.Add(terminal.SizeAtLeast(g.Bytes, g.AtLeast), v.out.Name(inNamespace(doc, g.Namespace, g.Name)))
	}
	t.Print(v.out)
	if slices.ContainsFunc(sorted, func(g prune.Going) bool { return g.AtLeast }) {
		v.out.Sentence(boundsExplained)
	}
	v.out.Line("")
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
		return fmt.Sprintf("This will collect the garbage of %s.", scope(doc))
	}
	return fmt.Sprintf("This will remove %d of %s from %s. Type d for details.",
		doc.Counts.Remove+doc.Counts.StandIn, terminal.Count(doc.Counts.Images, "image record"), scope(doc))
}
