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
)

// Shape says what results consist of, for templates.
type Shape[R any] struct {
	// Row is what a row is, with its article: "an image".
	Row string
	// Field is the one that an error gives as an example, the first if empty.
	Field string
	// List is the field of the document that has the rows. Empty if a template
	// cannot be about the document, only about each row.
	List string
	// Examples are what a template is tried on: every list has an entry.
	Examples []Result[R]
}

func (s Shape[R]) rows() []string { return fieldsOf(reflect.TypeFor[R]()) }

func (s Shape[R]) field() string {
	if s.Field != "" {
		return s.Field
	}
	return s.rows()[0]
}

// document lists the fields of the document, none if a template cannot use it.
func (s Shape[R]) document() []string {
	if s.List == "" {
		return nil
	}
	return fieldsOf(reflect.TypeOf(s.Examples[0].Doc))
}

// scope says whether a template is about the document rather than about each
// row. A field that neither has is an error.
func (s Shape[R]) scope(root *parse.ListNode) (whole bool, err error) {
	rows, document := s.rows(), s.document()
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
			return false, fmt.Errorf("--format: .%s is a field of %s, so it cannot stand beside those of the document: use {{range .%s}}", field, s.Row, s.List)
		}
	}
	return true, nil
}

func (s Shape[R]) noField(field string) error {
	if s.List == "" {
		return fmt.Errorf("--format: there is no field .%s; %s has %s", field, s.Row, dotted(s.rows()))
	}
	return fmt.Errorf("--format: there is no field .%s; %s has %s; the document has %s", field, s.Row, dotted(s.rows()), dotted(s.document()))
}

// rowTemplate executes a template for every row, or, if it uses fields of the
// document, once for that.
type rowTemplate[R any] struct {
	tmpl  *template.Template
	whole bool     // once, for the document
	heads []string // of a table, nil for lines
}

// newTemplate parses a template and tries it on examples, so that what is
// wrong with it is known before anything is done.
func newTemplate[R any](format string, shape Shape[R]) (*rowTemplate[R], error) {
	text, isTable := strings.CutPrefix(format, Table+" ")
	tmpl, err := template.New("format").Funcs(templateFuncs()).Parse(text)
	if err != nil {
		return nil, templateError(err)
	}
	t := &rowTemplate[R]{tmpl: tmpl}
	if t.whole, err = shape.scope(tmpl.Root); err != nil {
		return nil, err
	}
	if isTable {
		if t.whole {
			_, row, _ := strings.Cut(shape.Row, " ")
			return nil, fmt.Errorf("--format: a table has a row for each %s; its fields are %s", row, dotted(shape.rows()))
		}
		t.heads = headings(text)
	}
	for _, part := range tmpl.Templates() {
		prepare(part.Root)
	}
	for _, example := range shape.Examples {
		if _, err := t.render(example); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *rowTemplate[R]) show(out *terminal.Printer, r Result[R]) error {
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
func (t *rowTemplate[R]) render(r Result[R]) ([]string, error) {
	if t.whole {
		text, err := t.execute(r.Doc)
		return []string{text}, err
	}
	var lines []string
	for _, row := range r.Rows() {
		line, err := t.execute(row)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func (t *rowTemplate[R]) execute(data any) (string, error) {
	var b bytes.Buffer
	if err := t.tmpl.Execute(&b, data); err != nil {
		return "", templateError(err)
	}
	return b.String(), nil
}

// unknownField is what text/template says of a field that does not exist.
var unknownField = regexp.MustCompile(`can't evaluate field (\w+) in type (?:\[\])?\*?(?:\w+\.)?(\w+)`)

// templateError says what is wrong with a template, without the name that
// text/template knows it by.
func templateError(err error) error {
	text := err.Error()
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("--format: there is no field .%s in %s", m[1], m[2])
	}
	text = strings.TrimPrefix(text, "template: format:")
	return errors.New("--format: " + strings.ReplaceAll(text, `executing "format" at `, "at "))
}
