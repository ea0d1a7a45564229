package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
)

func TestOnlyYesIsYes(t *testing.T) {
	for _, c := range []struct {
		answer string
		want   bool
	}{
		{"y\n", true}, {"Y\n", true}, {"yes\n", true}, {" YES \r\n", true}, {"y", true},
		{"n\n", false}, {"\n", false}, {"", false}, {"yess\n", false}, {"ja\n", false}, {"\x1b[Ay\n", false},
	} {
		f := newFake(c.answer)
		got, err := ask(context.Background(), f.process, texttest.Plan(), text.How{}, false)
		if err != nil || got != c.want {
			t.Errorf("%q: %v, %v", c.answer, got, err)
		}
		if f.out.Len() > 0 {
			t.Errorf("the question is on stdout: %s", f.out)
		}
		if !strings.HasSuffix(c.answer, "\n") && !strings.HasSuffix(f.err.String(), "\n") {
			t.Errorf("%q: the cursor is left behind the question", c.answer)
		}
	}
}

func TestQuestionTellsWhatIsAtStake(t *testing.T) {
	f := newFake("")
	if _, err := ask(context.Background(), f.process, texttest.Plan(), text.How{}, false); err != nil {
		t.Fatal(err)
	}
	texttest.Golden(t, "question.txt", f.err.String())
}

// After the details the question is asked again.
func TestDetailsOfTheQuestion(t *testing.T) {
	f := newFake("d\ny\n")
	yes, err := ask(context.Background(), f.process, texttest.Plan(), text.How{}, false)
	if got := f.err.String(); err != nil || !yes || strings.Count(got, "[y/N/d]") != 2 || !strings.Contains(got, "ACTION") {
		t.Errorf("%v, %v:\n%s", yes, err, got)
	}
}

func TestPagerShowsTheDetails(t *testing.T) {
	for _, c := range []struct {
		name     string
		pager    string
		terminal bool
		want     bool
	}{{"set", "less", true, true}, {"not set", "", true, false}, {"no terminal", "less", false, false}} {
		f := newFake("d\nn\n")
		f.env(map[string]string{"PAGER": c.pager, "NO_COLOR": "1"})
		if c.terminal {
			f.terminal(80, f.stderr)
		}
		var paged strings.Builder
		f.page = func(_ context.Context, pager string, write func(io.Writer) error) error {
			if pager != c.pager {
				t.Errorf("%s: pager %q", c.name, pager)
			}
			return write(&paged)
		}
		if _, err := ask(context.Background(), f.process, texttest.Plan(), text.How{}, false); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(paged.String(), "ACTION"); got != c.want || strings.Contains(f.err.String(), "ACTION") == c.want {
			t.Errorf("%s: paged %v:\n%s", c.name, got, f.err)
		}
	}
}

func TestInterruptAtTheQuestion(t *testing.T) {
	f := newFake("")
	f.stdin = newStuck(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errSignal)
	yes, err := ask(ctx, f.process, texttest.Plan(), text.How{}, false)
	var stop *stoppedError
	if yes || !errors.As(err, &stop) || err.Error() != "interrupted; nothing was removed" {
		t.Errorf("%v, %v", yes, err)
	}
}
