package main

import (
	"bytes"
	"fmt"
	"strings"
	"text/template"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// imageRow is what a template sees of an image: the fields that the manual
// lists.
type imageRow struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Target    string   `json:"target"`
	Action    string   `json:"action"`
	Reason    string   `json:"reason"`
	Details   []string `json:"details"`
	StandIn   string   `json:"standIn"`
	// Result is what came of the action: "planned" before a run, and after it
	// "removed", "kept", "skipped" or "restored".
	Result string `json:"result"`
}

// templateView executes a template for every image, or, if it uses fields of
// the document, once for that.
type templateView struct {
	out   *terminal.Printer
	tmpl  *template.Template
	whole bool // once, for the document
	heads []string
}

// newTemplateView parses a template and tries it on examples, so that what is
// wrong with it is known before anything is done.
func newTemplateView(out *terminal.Printer, format string) (view, error) {
	text, isTable := strings.CutPrefix(format, formatTable+" ")
	tmpl, err := template.New("format").Funcs(templateFuncs()).Parse(text)
	if err != nil {
		return nil, usagef("--format: %s", templateProblem(err))
	}
	v := &templateView{out: out, tmpl: tmpl}
	if v.whole, err = templateScope(tmpl.Root); err != nil {
		return nil, err
	}
	if isTable {
		if v.whole {
			return nil, usagef("--format: a table has a row for each image; its fields are %s", dotted(rowFields()))
		}
		v.heads = headings(text)
	}
	for _, t := range tmpl.Templates() {
		prepare(t.Root)
	}
	for _, doc := range exampleDocuments() {
		if _, err := v.render(doc); err != nil {
			return nil, usagef("--format: %s", templateProblem(err))
		}
	}
	return v, nil
}

func (v *templateView) show(doc prune.Document) error {
	lines, err := v.render(doc)
	if err != nil {
		return fmt.Errorf("--format: %s", templateProblem(err))
	}
	if v.heads != nil {
		printCells(v.out, v.heads, lines)
		return v.out.Flush()
	}
	for _, line := range lines {
		v.out.Write(strings.TrimSuffix(line, "\n") + "\n")
	}
	return v.out.Flush()
}

// render returns one text for each image, or for the whole document.
func (v *templateView) render(doc prune.Document) ([]string, error) {
	var data []any
	if v.whole {
		data = append(data, doc)
	} else {
		for _, row := range imageRows(doc) {
			data = append(data, row)
		}
	}
	texts := make([]string, len(data))
	for i, d := range data {
		var b bytes.Buffer
		if err := v.tmpl.Execute(&b, d); err != nil {
			return nil, err
		}
		texts[i] = b.String()
	}
	return texts, nil
}

// printCells prints lines whose cells are separated by tabs as a table.
func printCells(out *terminal.Printer, heads, lines []string) {
	t := terminal.Table{Columns: make([]terminal.Column, len(heads))}
	for i, head := range heads {
		t.Columns[i] = terminal.Column{Title: head, Least: terminal.LeastText}
	}
	for _, line := range lines {
		cells := strings.SplitN(line, "\t", len(t.Columns))
		for len(cells) < len(t.Columns) {
			cells = append(cells, "")
		}
		t.Add(cells...)
	}
	t.Print(out)
}

// imageRows returns the images of a document as templates see them.
func imageRows(doc prune.Document) []imageRow {
	results := make(map[[2]string]string)
	for _, r := range doc.Removed {
		results[[2]string{r.Namespace, r.Name}] = "removed"
	}
	for _, s := range doc.Skipped {
		results[[2]string{s.Namespace, s.Name}] = "skipped"
	}
	for _, r := range doc.Restored {
		results[[2]string{r.Namespace, r.Name}] = "restored"
	}
	rows := make([]imageRow, len(doc.Images))
	for i, image := range doc.Images {
		result := results[[2]string{image.Namespace, image.Name}]
		switch {
		case doc.Kind == prune.DocumentPlan:
			result = "planned"
		case result == "":
			result = "kept"
		}
		rows[i] = imageRow{
			Namespace: image.Namespace, Name: image.Name, Target: string(image.Target),
			Action: string(image.Action), Reason: image.Reason, Details: image.Details,
			StandIn: image.StandIn, Result: result,
		}
	}
	return rows
}
