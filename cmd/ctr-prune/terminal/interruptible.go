package terminal

import (
	"bufio"
	"context"
	"io"
	"strings"
)

// Interruptible reads from a stream until the context ends. The goroutine of a
// read that gets no answer is left behind: such a read cannot be stopped, and the
// process is about to exit.
func Interruptible(ctx context.Context, in io.Reader) io.Reader {
	return interruptible{ctx, in}
}

type interruptible struct {
	ctx context.Context //nolint:containedctx // that of one reading
	in  io.Reader
}

// Read implements [io.Reader].
func (r interruptible) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	own := make([]byte, len(p)) // p belongs to the caller again when the context ends
	go func() {
		n, err := r.in.Read(own)
		done <- result{n, err}
	}()
	select {
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	case got := <-done:
		return copy(p, own[:got.n]), got.err
	}
}

// EachLine calls a function with each line that is not empty.
func EachLine(in io.Reader, do func(string)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			do(line)
		}
	}
	return lines.Err()
}
