package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
)

// fake is a process whose streams are in memory.
type fake struct {
	process
	out, err *bytes.Buffer
}

// newFake makes a process without a terminal and without an environment.
func newFake(stdin string) fake {
	f := fake{out: new(bytes.Buffer), err: new(bytes.Buffer)}
	f.process = process{
		stdin: strings.NewReader(stdin), stdout: f.out, stderr: f.err,
		getenv:  func(string) string { return "" },
		columns: func(any) (int, bool) { return 0, false },
		now:     texttest.Now,
	}
	return f
}

// terminal makes the given streams of the process a terminal.
func (f *fake) terminal(width int, streams ...any) {
	f.columns = func(stream any) (int, bool) {
		for _, s := range streams {
			if s == stream {
				return width, true
			}
		}
		return 0, false
	}
}

func (f fake) main(args ...string) int { return Main(context.Background(), args, f.process) }

// env sets variables of the process.
func (f *fake) env(vars map[string]string) {
	f.getenv = func(name string) string { return vars[name] }
}

// stuck is a terminal at which nobody types, until it is closed.
type stuck struct{ closed chan struct{} }

func newStuck(t *testing.T) stuck {
	s := stuck{make(chan struct{})}
	t.Cleanup(func() { close(s.closed) })
	return s
}

func (s stuck) Read([]byte) (int, error) {
	<-s.closed
	return 0, io.EOF
}

func TestColourOnlyWhereItIsWanted(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{"terminal", true, nil, true},
		{"pipe", false, nil, false},
		{"NO_COLOR", true, map[string]string{"NO_COLOR": "1"}, false},
		{"NO_COLOR empty", true, map[string]string{"NO_COLOR": ""}, true},
		{"dumb terminal", true, map[string]string{"TERM": "dumb"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("")
			f.env(c.env)
			if c.terminal {
				f.terminal(80, f.stdout)
			}
			painted := f.printer(f.stdout).Paint(terminal.Red, "x")
			if got := strings.Contains(painted, "\x1b["); got != c.want {
				t.Errorf("painted as %q", painted)
			}
		})
	}
}
