package text

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

type explanation struct {
	out *terminal.Printer
	e   *prune.Explanation
	now time.Time
}

// Explanation shows what something is, who holds it and what it refers to, as
// trees, at the time at which that was found out.
func Explanation(out *terminal.Printer, explained *prune.Explanation, now time.Time) {
	v := explanation{out, explained, now}
	e := v.e
	v.out.Wrapped(v.out.Paint(terminal.Bold, terminal.Quote(Capital(e.Object.Kind)+" "+v.label(e.Object.Name))), "  ")
	if e.Target != "" {
		v.fact("Target", string(e.Target))
	}
	v.fact("Namespace", e.Object.Namespace)
	if !e.CreatedAt.IsZero() {
		v.fact("Created", v.out.Time(e.CreatedAt))
	}
	v.lastUse()
	if e.Bytes > 0 {
		v.fact("Size", terminal.SizeAtLeast(e.Bytes, e.AtLeast)+", without what it refers to")
	}
	v.fact("Holds", Amount(e.Holds))
	v.fact("Removing it", v.freeing())
	v.labels()
	v.list("Used by", e.UsedBy)
	v.holders()
	v.list("Leases and labels that keep it", v.keptBy())
	v.contents()
	v.fate()
	for _, note := range e.Notes {
		v.out.Line("")
		v.out.Sentence("Note: %s", v.out.Prose(note.Reason))
	}
}

// lastUse says when an image was last used, as far as somebody watches that.
func (v explanation) lastUse() {
	e := v.e
	if e.Object.Kind != "image" || e.LastUsedAt.IsZero() && e.UseWatchedSince.IsZero() {
		return
	}
	text := "no use is known"
	switch {
	case e.LastUsedAt.Equal(v.now):
		text = "in use by " + e.LastUsedBy
	case !e.LastUsedAt.IsZero():
		text = terminal.Ago(v.now, e.LastUsedAt)
		if e.LastUsedBy != "" {
			text += " by " + e.LastUsedBy
		}
	}
	v.fact("Last used", text+", "+v.watched())
}

// watched says from when on use has been watched.
func (v explanation) watched() string {
	if v.e.UseWatchedSince.IsZero() {
		return "not watched now"
	}
	return "watched since " + v.out.Time(v.e.UseWatchedSince)[:len(time.DateOnly)]
}

// mostLabels is how many labels are shown; --no-trunc shows those of the document.
const mostLabels = 20

func (v explanation) labels() {
	if len(v.e.Labels) == 0 {
		return
	}
	v.out.Line("")
	v.out.Write(v.out.Paint(terminal.Bold, "Labels") + "\n")
	shown := v.e.Labels
	if !v.out.Whole {
		shown = shown[:min(len(shown), mostLabels)]
	}
	var branches []terminal.Branch
	for _, label := range shown {
		branches = append(branches, terminal.Branch{Text: v.out.Name(label)})
	}
	if rest := v.e.MoreLabels + len(v.e.Labels) - len(shown); rest > 0 {
		branches = append(branches, terminal.Branch{Text: fmt.Sprintf("and %d more", rest)})
	}
	v.out.Tree(branches)
}

// keptBy says what keeps the object, and the command that ends it, unless its
// holder has one of its own.
func (v explanation) keptBy() []string {
	lines := make([]string, len(v.e.KeptBy))
	for i, h := range v.e.KeptBy {
		lines[i] = h.Holder
		p := h.HolderParts
		if p == nil {
			continue
		}
		if p.Label != "" {
			lines[i] = "label " + p.Label + " on " + h.HeldBy.Kind + " " + v.label(h.HeldBy.Name)
		}
		if p.Command != "" && !strings.Contains(h.Holder, "`"+p.Command+"`") {
			lines[i] += "; to end that: " + p.Command
		}
	}
	return lines
}

// freeing says what removing the object means, and what it frees.
func (v explanation) freeing() string {
	frees := "frees " + Amount(v.e.Frees)
	switch v.e.Object.Kind {
	case "image":
		return frees + ", with all names of this image"
	case "content", "snapshot":
		return frees + ", with all images that hold it"
	default:
		return frees
	}
}

func (v explanation) fact(title, text string) {
	v.out.Wrapped(fmt.Sprintf("  %-12s %s", title, terminal.Quote(v.out.Prose(text))), strings.Repeat(" ", 15))
}

func (v explanation) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	v.out.Line("")
	v.out.Write(v.out.Paint(terminal.Bold, title) + "\n")
	for _, item := range items {
		v.out.Wrapped("  "+terminal.Quote(v.out.Prose(item)), "    ")
	}
}

// holders shows the chains as one tree: common beginnings are shown once.
func (v explanation) holders() {
	v.out.Line("")
	v.out.Write(v.out.Paint(terminal.Bold, "Held by") + "\n")
	if len(v.e.Chains) == 0 {
		v.out.Sentence("  nothing (awaiting garbage collection)")
		return
	}
	var tops []terminal.Branch
	for _, chain := range v.e.Chains {
		tops = graft(tops, v.links(chain))
	}
	v.out.Tree(tops)
	if v.e.MoreChains > 0 {
		v.out.Line("  and %d more", v.e.MoreChains)
	}
}

// links turns a chain into the texts of its links.
func (v explanation) links(chain []prune.Object) []string {
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

func graft(into []terminal.Branch, texts []string) []terminal.Branch {
	if len(texts) == 0 {
		return into
	}
	for i := range into {
		if into[i].Text == texts[0] {
			into[i].Below = graft(into[i].Below, texts[1:])
			return into
		}
	}
	return append(into, terminal.Branch{Text: texts[0], Below: graft(nil, texts[1:])})
}

// contents shows what the object refers to.
func (v explanation) contents() {
	if len(v.e.Parts) == 0 {
		return
	}
	v.out.Line("")
	v.out.Write(v.out.Paint(terminal.Bold, "Refers to") + "\n")
	v.out.Tree(v.partBranches(v.e.Parts, v.e.MoreParts))
}

func (v explanation) partBranches(parts []prune.Part, more int) []terminal.Branch {
	branches := make([]terminal.Branch, 0, len(parts))
	for _, part := range parts {
		branches = append(branches, terminal.Branch{
			Text: partTitle(part) + " " + v.label(part.Name), Note: partSize(part),
			Below: v.partBranches(part.Parts, part.MoreParts),
		})
	}
	if more > 0 {
		branches = append(branches, terminal.Branch{Text: fmt.Sprintf("and %d more", more)})
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
		return terminal.SizeAtLeast(part.Bytes, part.AtLeast) + ", shared"
	default:
		return terminal.SizeAtLeast(part.Bytes, part.AtLeast)
	}
}

// fate shows what a prune would do with the object.
func (v explanation) fate() {
	if len(v.e.Decisions) == 0 {
		return
	}
	v.out.Line("")
	v.out.Write(v.out.Paint(terminal.Bold, "A prune with these flags would") + "\n")
	for _, d := range v.e.Decisions {
		text := v.out.Paint(actionStyle(string(d.Action)), string(d.Action)) + terminal.Quote(" "+v.label(d.Name)+": "+v.out.Prose(reason(v.unnoted(d))))
		v.out.Wrapped("  "+text, "    ")
	}
}

// unnoted is a decision without the details that are told in a note anyway.
func (v explanation) unnoted(d prune.ImageDocument) prune.ImageDocument {
	d.Details = slices.DeleteFunc(slices.Clone(d.Details), func(detail prune.Cause) bool {
		return slices.ContainsFunc(v.e.Notes, func(note prune.Cause) bool { return note.Reason == detail.Reason })
	})
	return d
}

// label is the name of something, with its digest short on a terminal.
func (v explanation) label(name string) string { return v.out.Prose(v.out.Name(name)) }

// Capital puts the first letter of a sentence in upper case.
func Capital(s string) string { return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):] }
