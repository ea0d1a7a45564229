package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune"
)

// mostShown is how many records the question lists.
const mostShown = 50

// ask shows what would go and asks whether it may. It returns an error if the
// context ends before an answer.
func ask(ctx context.Context, p process, doc prune.Document, whole bool) (bool, error) {
	out := p.printer(p.stderr)
	out.whole = whole
	v := textView{out}
	going := byAction(doc.Images)[:doc.Counts.Remove+doc.Counts.StandIn]
	if shown := going[:min(mostShown, len(going))]; len(shown) > 0 {
		v.decisions(doc, shown)
		out.line("")
	}
	if rest := len(going) - mostShown; rest > 0 {
		out.line("and %d more; --dry-run lists them all.", rest)
	}
	v.foresee(doc)
	out.write(out.paint(yellow, "WARNING!") + quote(" "+warning(doc)) + "\n")
	out.write("Remove them? [y/N] ")
	if err := out.flush(); err != nil {
		return false, err
	}
	answer, err := readLine(ctx, p.stdin)
	if !strings.HasSuffix(answer, "\n") {
		out.line("") // nobody pressed Enter
	}
	if err := firstError(err, out.flush()); err != nil {
		return false, stopped(ctx, err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	}
	return false, nil
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
	return fmt.Sprintf("This will remove %d of %s from %s.",
		doc.Counts.Remove+doc.Counts.StandIn, plural(doc.Counts.Images, "image record"), scope(doc))
}

// readLine reads a line. The end of the input is a line as well. When the
// context ends first the reading goroutine is left behind: a read from a
// terminal cannot be stopped, and the process is about to exit.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	ch := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
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
