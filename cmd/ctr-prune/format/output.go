package format

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/filters/spelling"
)

// The formats that have a name. Every other one is a template.
const (
	Table = "table"
	JSON  = "json"
	Lines = "jsonl"
	// GitHub is for a step of GitHub Actions.
	GitHub = github.Format
)

// Options say which form of a result was asked for.
type Options struct {
	Format string
	// Quiet asks only for names.
	Quiet bool
	// GitHub are the files of a step, for the format of that name.
	GitHub github.Files
}

// Named are the formats that are not templates.
func Named() []string { return []string{Table, JSON, Lines, GitHub} }

// Result is one result in all forms. Those that are functions are made only
// when they are needed.
type Result[R any] struct {
	// Doc is what JSON shows.
	Doc any
	// Lines are the objects of JSON lines.
	Lines func() []any
	// Rows are what a template is executed for.
	Rows func() []R
	// Names are shown if Quiet is set.
	Names func() []string
	// Text shows the result to people.
	Text func(out *terminal.Printer)
	// Remarks are what annotates a step of GitHub Actions, the gist first, and
	// Figures the step's outputs. Either may be nil.
	Remarks func() []github.Remark
	Figures func() []github.Figure
}

// Output shows results whose rows are of type R in one form.
type Output[R any] struct {
	out      *terminal.Printer
	opts     Options
	template *rowTemplate // nil for the forms that have a name
}

// New returns an error for options that cannot be used.
func New[R any](out *terminal.Printer, opts Options, shape Shape[R]) (*Output[R], error) {
	o := &Output[R]{out: out, opts: opts}
	switch {
	case opts.Quiet && opts.Format != Table:
		return nil, fmt.Errorf("--quiet and --format contradict each other: choose one of them")
	case opts.Format == GitHub:
		return o, opts.GitHub.Check()
	case slices.Contains(Named(), opts.Format):
		return o, nil
	case !strings.Contains(opts.Format, "{{"):
		return nil, fmt.Errorf("--format %q is unknown: %stype table, json, jsonl, github, or a Go template such as '{{.%s}}'",
			opts.Format, spelling.Hint(opts.Format, "", Named()), shape.plain().field)
	}
	var err error
	o.template, err = newTemplate(opts.Format, shape.plain())
	return o, err
}

// Show writes a result.
func (o *Output[R]) Show(r Result[R]) error {
	switch {
	case o.template != nil:
		if err := o.template.show(o.out, r.plain()); err != nil {
			return err
		}
	case o.opts.Quiet:
		for _, name := range r.Names() {
			o.out.Line("%s", o.out.Name(name))
		}
	case o.opts.Format == JSON:
		if err := Write(o.out, r.Doc, "  "); err != nil {
			return err
		}
	case o.opts.Format == Lines:
		for _, line := range r.Lines() {
			if err := Write(o.out, line, ""); err != nil {
				return err
			}
		}
	case o.opts.Format == GitHub:
		return o.showGitHub(r)
	default:
		r.Text(o.out)
	}
	return o.out.Flush()
}
