package format

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

type row struct {
	Name string
	Size Bytes
}

type document struct{ Rows []row }

func result(rows ...row) Result[row] {
	return Result[row]{
		Doc:   document{rows},
		Lines: func() []any { return []any{rows[0], "last"} },
		Rows:  func() []row { return rows },
		Names: func() []string { return []string{rows[0].Name} },
		Text:  func(out *terminal.Printer) { out.Line("for people: %s", rows[0].Name) },
	}
}

func TestOneResultInEveryForm(t *testing.T) {
	shape := Shape[row]{Row: "a row", List: "Rows", Examples: []Result[row]{result(row{})}}
	for _, c := range []struct {
		opts Options
		want string
	}{
		{Options{Format: Table}, `for people: a\x1b` + "\n"},
		{Options{Format: Table, Quiet: true}, `a\x1b` + "\n"},
		{Options{Format: JSON}, "{\n  \"Rows\": [\n    {\n      \"Name\": \"a\\u001b\",\n      \"Size\": 1500\n    }\n  ]\n}\n"},
		{Options{Format: Lines}, `{"Name":"a\u001b","Size":1500}` + "\n\"last\"\n"},
		{Options{Format: "{{.Name}} {{.Size}}"}, `a\x1b 1.5kB` + "\n"},
		{Options{Format: "{{len .Rows}} {{range .Rows}}{{.Name}}{{end}}"}, `1 a\x1b` + "\n"},
		{Options{Format: `table {{.Name}}\t{{.Size}}`}, "NAME    SIZE\n" + `a\x1b   1.5kB` + "\n"},
	} {
		var b bytes.Buffer
		o, err := New(terminal.New(&b), c.opts, shape)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Show(result(row{"a\x1b", 1500})); err != nil || b.String() != c.want {
			t.Errorf("%+v: %v\n%s\nwant\n%s", c.opts, err, b.String(), c.want)
		}
	}
}

func TestFormatsThatCannotBeUsed(t *testing.T) {
	rows := Shape[row]{Row: "a row", Examples: []Result[row]{result(row{})}}
	whole := rows
	whole.List = "Rows"
	for _, c := range []struct {
		opts  Options
		shape Shape[row]
		want  string
	}{
		{Options{Format: JSON, Quiet: true}, rows, "--quiet and --format contradict each other"},
		{Options{Format: "xml"}, rows, "or a Go template such as '{{.Name}}'"},
		{Options{Format: "{{.Rows}}"}, rows, "there is no field .Rows; a row has .Name, .Size"},
		{Options{Format: "{{.Nme}}"}, whole, "there is no field .Nme: did you mean .Name? a row has .Name, .Size; the document has .Rows"},
		{Options{Format: "{{.Rows}}{{.Name}}"}, whole, ".Name is a field of a row, so it cannot be used together with those of the document: use {{range .Rows}}"},
		{Options{Format: "table {{.Rows}}"}, whole, "a table has a row for each row; its fields are .Name, .Size"},
		{Options{Format: "{{index .Name 7}}"}, rows, "--format: "},
	} {
		if _, err := New(terminal.New(new(bytes.Buffer)), c.opts, c.shape); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.opts, err, c.want)
		}
	}
}
