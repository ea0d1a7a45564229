package behaviour_test

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// question is how the command's question ends.
const question = "[y/N/d] "

// Keys that a terminal turns into a signal and into the end of the input.
const (
	ctrlC = "\x03"
	ctrlD = "\x04"
)

// terminal is the command on a terminal, whose results go elsewhere: what is
// seen on the terminal is the question, the progress and errors.
type terminal struct {
	running
	t    *testing.T
	tty  *os.File
	more chan struct{} // has something after each read
	done chan struct{} // closed when the command has closed the terminal

	mu   sync.Mutex
	seen []byte
}

// onTerminal starts the command on a terminal. Its stdout is not the terminal
// unless all is true.
func onTerminal(t *testing.T, all bool, args ...string) *terminal {
	t.Helper()
	return onTerminalCalled(t, "dumb", all, args...)
}

// onTerminalCalled starts it on one that has that name: a dumb one shows no progress.
func onTerminalCalled(t *testing.T, name string, all bool, args ...string) *terminal {
	t.Helper()
	x := &terminal{
		running: running{command(args...), &bytes.Buffer{}, &bytes.Buffer{}},
		t:       t, more: make(chan struct{}, 1), done: make(chan struct{}),
	}
	x.Env = append(x.Env, "TERM="+name)
	if !all {
		x.Stdout = x.out
	}
	var err error
	x.tty, err = pty.StartWithSize(x.Cmd, &pty.Winsize{Rows: 24, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	go x.watch()
	t.Cleanup(func() {
		_ = x.Process.Kill() // most have ended long ago
		<-x.done
		_ = x.tty.Close()
	})
	return x
}

// watch reads the terminal until the command ends, which is an error to read.
func (x *terminal) watch() {
	defer close(x.done)
	buf := make([]byte, 4096)
	for {
		n, err := x.tty.Read(buf)
		x.mu.Lock()
		x.seen = append(x.seen, buf[:n]...)
		x.mu.Unlock()
		select {
		case x.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// text is what the terminal got so far.
func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(slices.Clone(x.seen))
}

// await waits until the terminal has got a text.
func (x *terminal) await(text string) {
	x.t.Helper()
	deadline := time.After(eventTimeout)
	for !strings.Contains(x.text(), text) {
		select {
		case <-x.more:
		case <-x.done:
			if !strings.Contains(x.text(), text) {
				x.t.Fatalf("the command ended without %q:\n%s", text, x.text())
			}
		case <-deadline:
			x.t.Fatalf("no %q on the terminal:\n%s", text, x.text())
		}
	}
}

// answer types a line.
func (x *terminal) answer(line string) {
	x.t.Helper()
	x.press(line + "\n")
}

// press types keys.
func (x *terminal) press(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.tty, keys); err != nil {
		x.t.Fatal(err)
	}
}

// end waits for the end of the command. What the terminal got is its stderr.
func (x *terminal) end() programs.Result {
	x.t.Helper()
	err := x.Wait()
	<-x.done
	return programs.Result{Args: x.Args[1:], Code: exitOf(x.t, err), Stdout: x.out.String(), Stderr: x.text()}
}
