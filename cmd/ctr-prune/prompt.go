package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

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
	out.whole = whole
	textView{out: out}.summary(doc, going)
	for {
		answer, err := question(ctx, p, out, "Remove them? [y/N/d] ", true)
		if err != nil || answer != "d" {
			return answer == "y", err
		}
		if err := p.details(ctx, doc, whole); err != nil {
			return false, err
		}
	}
}

// question asks and returns "y", "n", or "d" if there are details. Everything
// that is not clearly a yes is a no.
func question(ctx context.Context, p process, out *printer, text string, details bool) (string, error) {
	out.write(text)
	if err := out.flush(); err != nil {
		return "n", err
	}
	answer, err := readLine(ctx, p.stdin)
	if !strings.HasSuffix(answer, "\n") {
		out.line("") // nobody pressed Enter
	}
	if err := firstError(err, out.flush()); err != nil {
		return "n", stopped(ctx, err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return "y", nil
	case "d", "details":
		if details {
			return "d", nil
		}
	}
	return "n", nil
}

// summary says how many images would go, what that frees, the largest of them,
// and what is held back and why.
func (v textView) summary(doc prune.Document, going []prune.Going) {
	v.largest(doc, going)
	v.reasons(doc)
	v.foresee(doc)
	v.out.wrapped(v.out.paint(yellow, "WARNING!")+quote(" "+warning(doc)), "")
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
		v.out.line("The largest of the %d images that would go:", len(sorted))
	} else {
		v.out.line("These images would go:")
	}
	t := table{columns: []column{{title: "SIZE"}, {title: "NAME", least: leastName, middle: true}}}
	for _, g := range sorted[:min(mostLargest, len(sorted))] {
		t.add(boundSize(g.Bytes, g.AtLeast), v.out.name(inNamespace(doc, g.Namespace, g.Name)))
	}
	t.print(v.out)
	if slices.ContainsFunc(sorted, func(g prune.Going) bool { return g.AtLeast }) {
		v.out.sentence(boundsExplained)
	}
	v.out.line("")
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
	v.out.line("Held back: %s", plural(doc.Counts.Keep, "image record"))
	for _, text := range texts[:min(mostReasons, len(texts))] {
		v.out.wrapped(quote(fmt.Sprintf("  %d: %s", counts[text], v.out.prose(text))), "     ")
	}
	if rest := len(texts) - mostReasons; rest > 0 {
		v.out.line("  and %s more", plural(rest, "reason"))
	}
	v.out.line("")
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
		doc.Counts.Remove+doc.Counts.StandIn, plural(doc.Counts.Images, "image record"), scope(doc))
}

// readLine reads a line, and no more, for another question may follow. The end
// of the input is a line as well. When the context ends first the reading
// goroutine is left behind: a read from a terminal cannot be stopped, and the
// process is about to exit.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	ch := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(bytewise{in}).ReadString('\n')
		ch <- result{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-ch:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return "", fmt.Errorf("reading the answer: %w", r.err)
		}
		return r.line, nil
	}
}

// bytewise reads one byte at a time, so that nothing is read ahead.
type bytewise struct{ io.Reader }

func (b bytewise) Read(buf []byte) (int, error) { return b.Reader.Read(buf[:min(1, len(buf))]) }
