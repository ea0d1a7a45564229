package main

import (
	"context"
	"errors"
	"fmt"
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
		got, err := ask(context.Background(), f.process, planDoc(), false)
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
	if _, err := ask(context.Background(), f.process, planDoc(), false); err != nil {
		t.Fatal(err)
	}
	golden(t, "question.txt", f.err.String())
}

func TestLongPlansAreCutInTheQuestion(t *testing.T) {
	doc := planDoc()
	doc.Images, doc.Counts = nil, prune.Counts{Images: mostShown + 7, Remove: mostShown + 7}
	for i := range doc.Counts.Images {
		doc.Images = append(doc.Images, img("default", fmt.Sprintf("image-%03d", i), prune.Remove, "unused"))
	}
	f := newFake("")
	if _, err := ask(context.Background(), f.process, doc, false); err != nil {
		t.Fatal(err)
	}
	got := f.err.String()
	if n := strings.Count(got, "image-"); n != mostShown || !strings.Contains(got, "and 7 more; --dry-run lists them all.") {
		t.Errorf("%d shown:\n%s", n, got)
	}
}

func TestInterruptAtTheQuestion(t *testing.T) {
	f := newFake("")
	f.stdin = newStuck(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errSignal)
	yes, err := ask(ctx, f.process, planDoc(), false)
	var stop *stoppedError
	if yes || !errors.As(err, &stop) || err.Error() != "interrupted; nothing was removed" {
		t.Errorf("%v, %v", yes, err)
	}
}
