package main

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// rowTemplate shows a list by executing a template for every row.
type rowTemplate[R any] struct {
	tmpl  *template.Template
	heads []string // of a table, nil for lines
}

// newRowTemplate parses a template for rows and tries it on an example, so
// that what is wrong with it is known before anything is read.
func newRowTemplate[R any](format, row string, example R) (*rowTemplate[R], error) {
	text, isTable := strings.CutPrefix(format, formatTable+" ")
	tmpl, err := template.New("format").Funcs(templateFuncs()).Parse(text)
	if err != nil {
		return nil, usagef("--format: %s", templateProblem(err))
	}
	known := fieldsOf(reflect.TypeFor[R]())
	for _, field := range rootFields(tmpl.Root) {
		if !slices.Contains(known, field) {
			return nil, usagef("--format: there is no field .%s; %s has %s", field, row, dotted(known))
		}
	}
	v := &rowTemplate[R]{tmpl: tmpl}
	if isTable {
		v.heads = headings(text)
	}
	for _, t := range tmpl.Templates() {
		prepare(t.Root)
	}
	if _, err := v.render([]R{example}); err != nil {
		return nil, usagef("--format: %s", templateProblem(err))
	}
	return v, nil
}

func (v *rowTemplate[R]) render(rows []R) ([]string, error) {
	lines := make([]string, len(rows))
	for i, row := range rows {
		var b bytes.Buffer
		if err := v.tmpl.Execute(&b, row); err != nil {
			return nil, err
		}
		lines[i] = b.String()
	}
	return lines, nil
}

func (v *rowTemplate[R]) show(out *terminal.Printer, rows []R) error {
	lines, err := v.render(rows)
	if err != nil {
		return fmt.Errorf("--format: %s", templateProblem(err))
	}
	if v.heads != nil {
		printCells(out, v.heads, lines)
		return nil
	}
	for _, line := range lines {
		out.Write(strings.TrimSuffix(line, "\n") + "\n")
	}
	return nil
}

// bytesCount is a number of bytes that a template prints as docker does, and
// compares and formats as the number it is.
type bytesCount int64

func (b bytesCount) String() string { return terminal.Size(int64(b)) }
