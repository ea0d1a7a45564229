package main

import (
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// shown is a document as it appears in a file.
func shown(t *testing.T, doc prune.Document, o outputOptions) string {
	t.Helper()
	f := newFake("")
	v, err := viewOf(f.process, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.show(doc); err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(f.out.String(), "\n") {
		if strings.Contains(o.format, `\t`) {
			line = strings.ReplaceAll(line, "\t", " ") // the template asks for it
		}
		if r, bad := terminaltest.Unprintable(line); bad {
			t.Errorf("%U reaches the output: %q", r, line)
		}
	}
	return f.out.String()
}

// viewOf is the view that the options ask for.
func viewOf(p process, o outputOptions) (*view, error) {
	output, err := newOutput(p, o, imageShape())
	return p.view(o, output), err
}

func TestViews(t *testing.T) {
	for _, c := range []struct {
		file string
		doc  prune.Document
		o    outputOptions
	}{
		{"plan-quiet.txt", texttest.Plan(), outputOptions{format: format.Table, quiet: true}},
		{"report-quiet.txt", texttest.Report(), outputOptions{format: format.Table, quiet: true}},
		{"plan.json", texttest.Plan(), outputOptions{format: format.JSON}},
		{"report.json", texttest.Report(), outputOptions{format: format.JSON}},
		{"report.jsonl", texttest.Report(), outputOptions{format: format.Lines}},
		{"report-table.txt", texttest.Report(), outputOptions{format: `table {{.Name}}\t{{.Result}}\t{{upper .Reason}}`}},
	} {
		t.Run(c.file, func(t *testing.T) { texttest.Golden(t, c.file, shown(t, c.doc, c.o)) })
	}
}
