package terminal

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The answers to a question.
const (
	Yes     = "y"
	No      = "n"
	Details = "d"
)

// Ask asks and returns Yes, No, or Details if there are some to be shown.
// Anything that is not clearly a yes counts as no.
func Ask(ctx context.Context, in io.Reader, out *Printer, text string, details bool) (string, error) {
	out.Write(text)
	if err := out.Flush(); err != nil {
		return No, err
	}
	answer, err := readLine(ctx, in)
	if !strings.HasSuffix(answer, "\n") {
		out.Line("") // nobody pressed Enter
	}
	if err := cmp.Or(err, out.Flush()); err != nil {
		return No, err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return Yes, nil
	case "d", "details":
		if details {
			return Details, nil
		}
	}
	return No, nil
}

// readLine reads a line, and no more, because another question may follow. The end
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
