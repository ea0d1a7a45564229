package format

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/filters/spelling"
)

// Shape describes the structure of results for templates.
type Shape[R any] struct {
	// Row is the word for a row, with its article: "an image".
	Row string
	// Field is the field that an error gives as an example; if empty, the first
	// one.
	Field string
	// List is the field of the document that has the rows. It is empty if a
	// template is always executed for each row.
	List string
	// Examples are the data that a template is tested with: every list has an
	// entry.
	Examples []Result[R]
}

// plain returns the shape without its type, so that the engine is compiled
// once and not for every kind of row.
func (s Shape[R]) plain() plainShape {
	p := plainShape{row: s.Row, field: s.Field, list: s.List, rows: fieldsOf(reflect.TypeFor[R]())}
	if p.field == "" {
		p.field = p.rows[0]
	}
	if s.List != "" {
		p.document = fieldsOf(reflect.TypeOf(s.Examples[0].Doc))
	}
	for _, example := range s.Examples {
		p.examples = append(p.examples, example.plain())
	}
	return p
}

func (r Result[R]) plain() plainResult {
	return plainResult{doc: r.Doc, rows: func() []any {
		rows := r.Rows()
		all := make([]any, len(rows))
		for i, row := range rows {
			all[i] = row
		}
		return all
	}}
}

type plainShape struct {
	row, field, list string
	rows             []string // the fields of a row
	document         []string // those of the document, none if a template cannot use it
	examples         []plainResult
}

type plainResult struct {
	doc  any
	rows func() []any
}

// scope reports whether a template is executed for the document rather than for
// each row. A field that neither has is an error.
func (s plainShape) scope(root *parse.ListNode) (whole bool, err error) {
	rows, document := s.rows, s.document
	for _, field := range rootFields(root) {
		switch {
		case slices.Contains(rows, field):
		case slices.Contains(document, field):
			whole = true
		default:
			return false, s.noField(field)
		}
	}
	if !whole {
		return false, nil
	}
	for _, field := range rootFields(root) {
		if !slices.Contains(document, field) {
			return false, fmt.Errorf("--format: .%s is a field of %s, so it cannot be used together with those of the document: use {{range .%s}}", field, s.row, s.list)
		}
	}
	return true, nil
}

func (s plainShape) noField(field string) error {
	has := s.row + " has " + dotted(s.rows)
	if s.list != "" {
		has += "; the document has " + dotted(s.document)
	}
	if hint := spelling.Hint(field, ".", slices.Concat(s.rows, s.document)); hint != "" {
		return fmt.Errorf("--format: there is no field .%s: %s%s", field, hint, has)
	}
	return fmt.Errorf("--format: there is no field .%s; %s", field, has)
}

// rowTemplate executes a template for every row, or, if it uses fields of the
// document, once for that.
type rowTemplate struct {
	tmpl  *template.Template
	whole bool     // once, for the document
	heads []string // of a table, nil for lines
}

// newTemplate parses a template and tests it with examples, so that its errors
// are found before anything is done.
func newTemplate(format string, shape plainShape) (*rowTemplate, error) {
	text, isTable := strings.CutPrefix(format, Table+" ")
	tmpl, err := template.New("format").Funcs(templateFuncs()).Parse(text)
	if err != nil {
		return nil, templateError(err)
	}
	t := &rowTemplate{tmpl: tmpl}
	if t.whole, err = shape.scope(tmpl.Root); err != nil {
		return nil, err
	}
	if isTable {
		if t.whole {
			_, row, _ := strings.Cut(shape.row, " ")
			return nil, fmt.Errorf("--format: a table has a row for each %s; its fields are %s", row, dotted(shape.rows))
		}
		t.heads = headings(text)
	}
	for _, part := range tmpl.Templates() {
		prepare(part.Root)
	}
	for _, example := range shape.examples {
		if _, err := t.render(example); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *rowTemplate) show(out *terminal.Printer, r plainResult) error {
	lines, err := t.render(r)
	if err != nil {
		return err
	}
	if t.heads != nil {
		printCells(out, t.heads, lines)
		return nil
	}
	for _, line := range lines {
		out.Write(strings.TrimSuffix(line, "\n") + "\n")
	}
	return nil
}

// render returns one text for each row, or for the whole document.
func (t *rowTemplate) render(r plainResult) ([]string, error) {
	if t.whole {
		text, err := t.execute(r.doc)
		return []string{text}, err
	}
	var lines []string
	for _, row := range r.rows() {
		line, err := t.execute(row)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (t *rowTemplate) execute(data any) (string, error) {
	var b bytes.Buffer
	if err := t.tmpl.Execute(&b, data); err != nil {
		return "", templateError(err)
	}
	return b.String(), nil
}

// unknownField matches the error of text/template for a field that does not
// exist.
var unknownField = regexp.MustCompile(`can't evaluate field (\w+) in type (?:\[\])?\*?(?:\w+\.)?(\w+)`)

// templateError says what is wrong with a template, without the internal name
// that text/template has for it.
func templateError(err error) error {
	text := err.Error()
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("--format: there is no field .%s in %s", m[1], m[2])
	}
	text = strings.TrimPrefix(text, "template: format:")
	return errors.New("--format: " + strings.ReplaceAll(text, `executing "format" at `, "at "))
}
