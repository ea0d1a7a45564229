// Package screen runs a program on a terminal that knows what is on its screen, for tests
// of programs that draw one.
package screen

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// Screen is a terminal on which a program runs.
type Screen struct {
	t       *testing.T
	cmd     *exec.Cmd
	tty     *os.File
	screen  *vt.SafeEmulator
	changed chan struct{} // has something after each change
	ended   chan struct{} // closed when the program has closed the terminal
}

// patience only ends what hangs.
const patience = 2 * time.Minute

// Start starts a program on a terminal of that size.
func Start(t *testing.T, cmd *exec.Cmd, width, height int) *Screen {
	t.Helper()
	s := &Screen{t: t, cmd: cmd, screen: vt.NewSafeEmulator(width, height), changed: make(chan struct{}, 1), ended: make(chan struct{})}
	var err error
	if s.tty, err = pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() { // what the terminal answers when it is asked what it can do
		defer close(answered)
		_, _ = io.Copy(s.tty, s.screen)
	}()
	go s.watch()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // most have ended long ago
		<-s.ended
		_ = s.screen.InputPipe().(io.Closer).Close()
		_ = s.tty.Close()
		<-answered
	})
	return s
}

// watch draws what the program writes until it ends, which is an error to read.
func (s *Screen) watch() {
	defer close(s.ended)
	buf := make([]byte, 1<<16)
	for {
		n, err := s.tty.Read(buf)
		_, _ = s.screen.Write(buf[:n]) // to memory
		select {
		case s.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// Text is what the screen shows, without spaces at the ends of lines.
func (s *Screen) Text() string {
	lines := strings.Split(s.screen.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// Await waits until the screen shows all of the texts.
func (s *Screen) Await(texts ...string) {
	s.t.Helper()
	deadline := time.After(patience)
	for !s.shows(texts) {
		select {
		case <-s.changed:
		case <-s.ended:
			if !s.shows(texts) {
				s.t.Fatalf("the program ended without %q:\n%s", texts, s.Text())
			}
			return
		case <-deadline:
			s.t.Fatalf("no %q on the screen:\n%s", texts, s.Text())
		}
	}
}

func (s *Screen) shows(texts []string) bool {
	text := s.Text()
	for _, want := range texts {
		if !strings.Contains(text, want) {
			return false
		}
	}
	return true
}

// Press types keys.
func (s *Screen) Press(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.tty, keys); err != nil {
		s.t.Fatal(err)
	}
}

// Resize gives the terminal another size.
func (s *Screen) Resize(width, height int) {
	s.t.Helper()
	s.screen.Resize(width, height)
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		s.t.Fatal(err)
	}
}

// Signal sends a signal to the program.
func (s *Screen) Signal(signal os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// Ended waits until the program ends, and returns its exit code.
func (s *Screen) Ended() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("it does not end:\n%s", s.Text())
	}
	_ = s.cmd.Wait() // the exit code tells
	return s.cmd.ProcessState.ExitCode()
}

// Restored says whether the program has left the terminal as it was.
func (s *Screen) Restored() bool { return !s.screen.IsAltScreen() && !s.screen.CursorHidden() }

// Styled says whether anything on the screen has a colour or another style.
func (s *Screen) Styled() bool {
	for y := range s.screen.Height() {
		for x := range s.screen.Width() {
			if c := s.screen.CellAt(x, y); c != nil && !c.Style.IsZero() {
				return true
			}
		}
	}
	return false
}
