package main

import (
	"context"
	"io"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
)

// ask sums up what would go and asks whether it may. It returns an error if
// the context ends before an answer.
func ask(ctx context.Context, p process, doc prune.Document, going []prune.Going, whole bool) (bool, error) {
	out := p.printer(p.stderr)
	out.Whole = whole
	text.Summary(out, doc, going)
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
		text.Plan(out, doc)
		out.Line("")
		return out.Flush()
	}
	err := p.page(ctx, pager, func(w io.Writer) error {
		out := out.Onto(w)
		text.Plan(out, doc)
		return out.Flush()
	})
	if err != nil && ctx.Err() == nil {
		return p.say("ctr-prune: $PAGER failed: %s", err)
	}
	return stopped(ctx, err)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
