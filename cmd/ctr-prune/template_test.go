package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

func TestTemplates(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"{{.Name}}", "<none>\n\" x"},
		{`{{.Namespace}}\t{{.Action}}`, "default\tremove\nk8s.io\tremove"},
		{"{{len .Images}} {{.Predicted.TotalBytes}} {{size .Predicted.TotalBytes}}", "2 45600000 45.6MB"},
		{"{{range .Images}}{{println .Action}}{{end}}", "remove\nremove"},
		{`{{range .Images}}{{printf "%-8s|\n" .Action}}{{end}}`, "remove  |\nremove  |"},
		{`{{with .Reason}}{{.}}{{end}}{{"\n"}}`, "unused\nunused"},
		{`{{join .Details ","}}`, "a,b\n"},
		{"{{title .Reason}} {{pad .Action 1 0}} {{truncate .Reason 2}} {{lower .Namespace}}", "Unused  remove un default\nUnused  remove un k8s.io"},
		{`{{index (split .Namespace ".") 0}}`, "default\nk8s"},
		{"{{.Result}} {{$.Action}} {{if eq .Action `remove`}}gone{{else}}stays{{end}}", "planned remove gone\nplanned remove gone"},
		{"{{define `x`}}{{.Namespace}}{{end}}{{template `x` .}}", "default\nk8s.io"},
		{"{{$n := .Namespace}}{{$n}}", "default\nk8s.io"},
		{"{{range $.Images}}{{.Target}}{{$.Kind}} {{end}}", texttest.Sum("<none>").String() + "plan " + texttest.Sum(`" x`).String() + "plan "},
		{`table {{.Namespace}} {{.Action}}\tx: {{if .Reason}}{{.Result}}{{end}}`,
			"NAMESPACE ACTION   x: RESULT\ndefault remove     x: planned\nk8s.io remove      x: planned"},
		{`table {{.Namespace}}\t{{.Action}}`, "NAMESPACE   ACTION\ndefault     remove\nk8s.io      remove"},
	} {
		doc := texttest.Plan()
		doc.Images = doc.Images[3:]
		doc.Images[0].Record, doc.Images[0].Details = texttest.Rec("default", "<none>"), texttest.Causes([]string{"a", "b"})
		doc.Images[1].Record, doc.Images[1].Details = texttest.Rec("k8s.io", `" x`), nil
		if got := shown(t, doc, outputOptions{format: c.format}); got != c.want+"\n" {
			t.Errorf("%s: got\n%q want\n%q", c.format, got, c.want+"\n")
		}
	}
}

// Everything that a template may do with a name of a store, without printing
// it raw; shown itself looks for that.
func TestTemplatesPrintNothingRaw(t *testing.T) {
	for _, format := range []string{
		"{{.Name}}", "{{.}}", "{{json .}}", "{{json .Name}}", "{{upper .Name}}", "{{print .Name .Name}}",
		`{{printf "%s" .Name}}`, `{{printf "%v" .}}`, `{{printf .Name}}`, "{{println .Name}}", "{{println .}}",
		"{{with .Name}}{{.}}{{end}}", "{{$x := .Name}}{{$x}}", "{{define `x`}}{{.Name}}{{end}}{{template `x` .}}",
		"{{block `x` .}}{{.Name}}{{end}}", "{{range .Details}}{{.}}{{else}}{{.Name}}{{end}}", "{{if true}}{{.Name}}{{end}}",
		"{{.Name | html | printf `%s`}}", "{{slice .Name 0 15}}", "{{join (split .Name `:`) `+`}}", "{{truncate .Name 20}}",
		"{{.Images}}", "{{json .Images}}", "{{range .Images}}{{.Name}}{{end}}", "{{range .Images}}{{.Record}} {{.}}{{end}}",
		"{{range .Held}}{{.Holder}} {{.}}{{end}}", "{{range $i, $e := .Errors}}{{$e}}{{end}}{{.Notes}}",
	} {
		doc := texttest.Report()
		doc.Images = doc.Images[:1]
		doc.Errors, doc.Notes = []prune.Cause{{Reason: texttest.Evil}}, []prune.Cause{{Reason: texttest.Evil}}
		if got := shown(t, doc, outputOptions{format: format}); !strings.Contains(got, `\`) {
			t.Errorf("%s: nothing shows that there is an escape: %q", format, got)
		}
	}
}

func TestTemplateErrorsSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"{{.Nme}}", "there is no field .Nme: did you mean .Name? an image has .Namespace, .Name,"},
		{"{{if eq .Action `never`}}{{.Nme}}{{end}}", "there is no field .Nme"},
		{"{{range .Details}}{{$.Nme}}{{end}}", "there is no field .Nme"},
		{"{{.Reclaimed.Bytes}}", "there is no field .Bytes in Amount"},
		{"{{range .Images}}{{.Nme}}{{end}}", "there is no field .Nme in ImageDocument"},
		{"{{.Name}} {{.Kind}}", "cannot be used together with those of the document"},
		{"table {{.Kind}}", "a table has a row for each image"},
		{"{{.Name", "unclosed action"},
		{"{{.Name | nope}}", `function "nope" not defined`},
		{"{{index .Details 7}}", "index out of range"},
		{"{{join .Name `,`}}", "string is not a list"},
		{"xml", `"xml" is unknown: type table, json, jsonl, github, or a Go template`},
		{"", `"" is unknown`},
	} {
		f := newFake("")
		_, err := viewOf(f.process, outputOptions{format: c.format})
		var usage *usageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.format, err, c.want)
		}
	}
}
