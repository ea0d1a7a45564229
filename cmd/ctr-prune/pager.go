package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/ctr-prune/ctr-prune/prune"
)

// details shows a whole plan on the terminal: through $PAGER if that is set,
// else as it is.
func (p process) details(ctx context.Context, doc prune.Document, whole bool) error {
	out := p.printer(p.stderr)
	out.whole = whole
	pager := p.getenv("PAGER")
	if pager == "" || p.page == nil || !p.isTerminal(p.stderr) {
		textView{out: out}.plan(doc)
		out.line("")
		return out.flush()
	}
	err := p.page(ctx, pager, func(w io.Writer) error {
		out := out.onto(w)
		textView{out: out}.plan(doc)
		return out.flush()
	})
	if err != nil && ctx.Err() == nil {
		return p.say("ctr-prune: $PAGER failed: %s", err)
	}
	return stopped(ctx, err)
}

// page runs a pager, as a shell command like other programs do, on what write
// writes. A pager that is left early is no failure.
func page(ctx context.Context, pager string, write func(io.Writer) error) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", pager)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	// less asks to pass colours on, and not to stay for what fits.
	cmd.Env = append(os.Environ(), "LESS="+cmp.Or(os.Getenv("LESS"), "FRX"))
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("preparing the pager: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the pager: %w", err)
	}
	_ = errors.Join(write(in), in.Close()) // the pager was left: there is nobody to read the rest
	return cmd.Wait()
}
