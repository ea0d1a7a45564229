package terminal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"golang.org/x/term"
)

// defaultColumns is the width of a terminal that does not report its width.
const defaultColumns = 80

// Columns returns the width of the terminal that a stream is connected to, and
// false if it is not a terminal.
func Columns(stream any) (int, bool) {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width, true
	}
	return defaultColumns, true
}

// Page runs a pager on what write writes, as a shell command like other
// programs do. Leaving the pager early is not an error.
func Page(ctx context.Context, pager string, write func(io.Writer) error) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", pager)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	// These options tell less to pass colours on, and to exit if the text fits on
	// the screen.
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
