package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
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
		got, err := ask(context.Background(), f.process, planDoc(), goingDoc(), false)
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
	if _, err := ask(context.Background(), f.process, planDoc(), goingDoc(), false); err != nil {
		t.Fatal(err)
	}
	golden(t, "question.txt", f.err.String())
}

func TestQuestionNamesTheLargest(t *testing.T) {
	doc := planDoc()
	var going []prune.Going
	const most = 5
	for i := range 2 * most {
		going = append(going, prune.Going{Namespace: "default", Name: fmt.Sprintf("image-%03d", i), Bytes: int64(i)})
	}
	f := newFake("")
	if _, err := ask(context.Background(), f.process, doc, going, false); err != nil {
		t.Fatal(err)
	}
	got := f.err.String()
	if n := strings.Count(got, "image-"); n != most || !strings.Contains(got, "image-009") || strings.Contains(got, "image-004") {
		t.Errorf("%d shown:\n%s", n, got)
	}
}

// After the details the question is asked again.
func TestDetailsOfTheQuestion(t *testing.T) {
	f := newFake("d\ny\n")
	yes, err := ask(context.Background(), f.process, planDoc(), goingDoc(), false)
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
		if _, err := ask(context.Background(), f.process, planDoc(), goingDoc(), false); err != nil {
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
	yes, err := ask(ctx, f.process, planDoc(), goingDoc(), false)
	var stop *stoppedError
	if yes || !errors.As(err, &stop) || err.Error() != "interrupted; nothing was removed" {
		t.Errorf("%v, %v", yes, err)
	}
}

// goingDoc is what planDoc's images take with them.
func goingDoc() []prune.Going {
	return []prune.Going{
		{Namespace: "default", Name: evil, Bytes: 12_000_000},
		{Namespace: "k8s.io", Name: " ", Bytes: 33_000_000},
		{Namespace: "k8s.io", Name: "registry.example/app:2", Bytes: 0},
	}
}
