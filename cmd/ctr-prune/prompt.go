package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Bounds of what the question lists.
const (
	mostLargest = 5
	mostReasons = 5
)

// ask sums up what would go and asks whether it may. It returns an error if
// the context ends before an answer.
func ask(ctx context.Context, p process, doc prune.Document, going []prune.Going, whole bool) (bool, error) {
	out := p.printer(p.stderr)
	out.Whole = whole
	textView{out: out}.summary(doc, going)
	for {
		answer, err := question(ctx, p, out, "Remove them? [y/N/d] ", true)
		if err != nil || answer != terminal.Details {
			return answer == terminal.Yes, err
		}
		if err := p.details(ctx, doc, whole); err != nil {
			return false, err
		}
	}
}

// question asks one question, see [terminal.Ask].
func question(ctx context.Context, p process, out *terminal.Printer, text string, details bool) (string, error) {
	answer, err := terminal.Ask(ctx, p.stdin, out, text, details)
	return answer, stopped(ctx, err)
}

// details shows a whole plan on the terminal: through $PAGER if that is set,
// else as it is.
func (p process) details(ctx context.Context, doc prune.Document, whole bool) error {
	out := p.printer(p.stderr)
	out.Whole = whole
	pager := p.getenv("PAGER")
	if pager == "" || p.page == nil || !p.isTerminal(p.stderr) {
		textView{out: out}.plan(doc)
		out.Line("")
		return out.Flush()
	}
	err := p.page(ctx, pager, func(w io.Writer) error {
		out := out.Onto(w)
		textView{out: out}.plan(doc)
		return out.Flush()
	})
	if err != nil && ctx.Err() == nil {
		return p.say("ctr-prune: $PAGER failed: %s", err)
	}
	return stopped(ctx, err)
}

// summary says how many images would go, what that frees, the largest of them,
// and what is held back and why.
func (v textView) summary(doc prune.Document, going []prune.Going) {
	v.largest(doc, going)
	v.reasons(doc)
	v.foresee(doc)
	v.out.Wrapped(v.out.Paint(terminal.Yellow, "WARNING!")+terminal.Quote(" "+warning(doc)), "")
}

// largest lists the images whose removal frees most.
func (v textView) largest(doc prune.Document, going []prune.Going) {
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
	t := terminal.Table{Columns: []terminal.Column{{Title: "SIZE"}, {Title: "NAME", Least: terminal.LeastName, Middle: true}}}
	for _, g := range sorted[:min(mostLargest, len(sorted))] {
		t.Add(terminal.SizeAtLeast(g.Bytes, g.AtLeast), v.out.Name(inNamespace(doc, g.Namespace, g.Name)))
	}
	t.Print(v.out)
	if slices.ContainsFunc(sorted, func(g prune.Going) bool { return g.AtLeast }) {
		v.out.Sentence(boundsExplained)
	}
	v.out.Line("")
}

// reasons counts what stays by why it does.
func (v textView) reasons(doc prune.Document) {
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
	v.out.Line("Held back: %s", terminal.Count(doc.Counts.Keep, "image record"))
	for _, text := range texts[:min(mostReasons, len(texts))] {
		v.out.Wrapped(terminal.Quote(fmt.Sprintf("  %d: %s", counts[text], v.out.Prose(text))), "     ")
	}
	if rest := len(texts) - mostReasons; rest > 0 {
		v.out.Line("  and %s more", terminal.Count(rest, "reason"))
	}
	v.out.Line("")
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// warning says in a sentence what a yes does.
func warning(doc prune.Document) string {
	if doc.Counts.Remove+doc.Counts.StandIn == 0 {
		return fmt.Sprintf("This will collect the garbage of %s.", scope(doc))
	}
	return fmt.Sprintf("This will remove %d of %s from %s. Type d for the details.",
		doc.Counts.Remove+doc.Counts.StandIn, terminal.Count(doc.Counts.Images, "image record"), scope(doc))
}
