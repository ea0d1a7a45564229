package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/ctr-prune/ctr-prune/prune"
)

// explainText shows an explanation as a tree.
type explainText struct {
	out *printer
	e   *prune.Explanation
}

// branch is a line of a tree with those below it.
type branch struct {
	text string
	// size stands at the right of a name that may be cut.
	size  string
	below []branch
}

func (v explainText) show() {
	e := v.e
	v.out.wrapped(v.out.paint(bold, quote(capital(e.Object.Kind)+" "+v.label(e.Object.Name))), "  ")
	if e.Target != "" {
		v.fact("Target", string(e.Target))
	}
	v.fact("Namespace", e.Object.Namespace)
	if !e.CreatedAt.IsZero() {
		v.fact("Created", e.CreatedAt.Format(time.RFC3339))
	}
	if e.Bytes > 0 {
		v.fact("Size", humanSize(e.Bytes)+", without what it refers to")
	}
	v.fact("Holds", amountText(e.Holds))
	v.fact("Removing it", v.freeing())
	v.list("Used by", e.UsedBy)
	v.holders()
	v.contents()
	v.fate()
}

// freeing says what removing the object means and frees.
func (v explainText) freeing() string {
	frees := "frees " + amountText(v.e.Frees)
	switch v.e.Object.Kind {
	case "image":
		return frees + ", with all names of this image"
	case "content", "snapshot":
		return frees + ", with all images that hold it"
	default:
		return frees
	}
}

func (v explainText) fact(title, text string) {
	v.out.wrapped(fmt.Sprintf("  %-12s %s", title, quote(v.out.prose(text))), strings.Repeat(" ", 15))
}

func (v explainText) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	v.out.line("")
	v.out.write(v.out.paint(bold, title) + "\n")
	for _, item := range items {
		v.out.wrapped("  "+quote(v.out.prose(item)), "    ")
	}
}

// holders shows the chains as one tree: what begins alike is shown once.
func (v explainText) holders() {
	v.out.line("")
	v.out.write(v.out.paint(bold, "Held by") + "\n")
	if len(v.e.Chains) == 0 {
		v.out.line("  nothing: the next collection takes it")
		return
	}
	var tops []branch
	for _, chain := range v.e.Chains {
		tops = graft(tops, v.links(chain))
	}
	v.tree(tops)
	if v.e.MoreChains > 0 {
		v.out.line("  and %d more", v.e.MoreChains)
	}
}

// links turns a chain into the texts of its links.
func (v explainText) links(chain []prune.Object) []string {
	texts := make([]string, len(chain))
	for i, o := range chain {
		texts[i] = o.Kind + " " + v.label(o.Name)
		if o.Namespace != v.e.Object.Namespace {
			texts[i] += " (namespace " + o.Namespace + ")"
		}
		if i == len(chain)-1 && i > 0 && o.Name == v.e.Object.Name {
			texts[i] += " (this one)"
		}
	}
	return texts
}

func graft(into []branch, texts []string) []branch {
	if len(texts) == 0 {
		return into
	}
	for i := range into {
		if into[i].text == texts[0] {
			into[i].below = graft(into[i].below, texts[1:])
			return into
		}
	}
	return append(into, branch{text: texts[0], below: graft(nil, texts[1:])})
}

// contents shows what the object refers to.
func (v explainText) contents() {
	if len(v.e.Parts) == 0 {
		return
	}
	v.out.line("")
	v.out.write(v.out.paint(bold, "Refers to") + "\n")
	v.tree(v.partBranches(v.e.Parts, v.e.MoreParts))
}

func (v explainText) partBranches(parts []prune.Part, more int) []branch {
	branches := make([]branch, 0, len(parts))
	for _, part := range parts {
		branches = append(branches, branch{
			text: partTitle(part) + " " + v.label(part.Name), size: partSize(part),
			below: v.partBranches(part.Parts, part.MoreParts),
		})
	}
	if more > 0 {
		branches = append(branches, branch{text: fmt.Sprintf("and %d more", more)})
	}
	return branches
}

func partTitle(part prune.Part) string {
	if part.Layer > 0 {
		return fmt.Sprintf("%s %d", part.Kind, part.Layer)
	}
	return string(part.Kind)
}

func partSize(part prune.Part) string {
	switch {
	case part.Missing:
		return "not in the store"
	case part.Again:
		return "see above"
	case part.Shared:
		return humanSize(part.Bytes) + ", shared"
	default:
		return humanSize(part.Bytes)
	}
}

// fate shows what a prune would do.
func (v explainText) fate() {
	if len(v.e.Decisions) == 0 {
		return
	}
	v.out.line("")
	v.out.write(v.out.paint(bold, "A prune with these flags would") + "\n")
	for _, d := range v.e.Decisions {
		text := v.out.paint(actionStyle(string(d.Action)), string(d.Action)) + quote(" "+v.label(d.Name)+": "+v.out.prose(reason(d)))
		v.out.wrapped("  "+text, "    ")
	}
}

// label is the name of something, with its digest short on a terminal.
func (v explainText) label(name string) string { return v.out.prose(v.out.name(name)) }

// leastLink is the width below which a link of a tree is not cut.
const leastLink = 8

// tree draws branches; a line that does not fit is cut in the middle.
func (v explainText) tree(branches []branch) { v.grow(branches, "  ") }

func (v explainText) grow(branches []branch, indent string) {
	for i, b := range branches {
		fork, below := "├─ ", "│  "
		if i == len(branches)-1 {
			fork, below = "└─ ", "   "
		}
		text, size := quote(b.text), ""
		if b.size != "" {
			size = "  " + b.size
		}
		if v.out.fitted() {
			text = shorten(text, max(leastLink, v.out.width-runewidth.StringWidth(indent+fork+size)), true)
		}
		v.out.write(indent + fork + text + size + "\n")
		v.grow(b.below, indent+below)
	}
}

// amountText says an amount with its parts.
func amountText(a prune.Amount) string {
	if a.Blobs+a.Snapshots == 0 {
		return "nothing"
	}
	return sizes(a) + ": " + objects(a.Blobs, a.Snapshots)
}

func capital(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }
