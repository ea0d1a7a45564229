package main

import (
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// listOptions say how a list of things other than plans is shown.
type listOptions struct {
	format  string
	quiet   bool
	noTrunc bool
	// hasQuiet says that the command has --quiet.
	hasQuiet bool
}

// add adds the flags; row is what a template is executed for, and names is
// what --quiet prints, empty if there is no such flag.
func (o *listOptions) add(fs *pflag.FlagSet, row, names string) {
	fs.StringVar(&o.format, "format", formatTable, "show results in this `FORMAT`: table, json, jsonl, or a Go template for "+row+", see the fields below")
	if names != "" {
		o.hasQuiet = true
		fs.BoolVarP(&o.quiet, "quiet", "q", false, "only "+names+", one a line")
	}
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "do not shorten names, digests and reasons")
}

// addDocument adds the flag of a command whose result is one thing.
func (o *listOptions) addDocument(fs *pflag.FlagSet) {
	fs.StringVar(&o.format, "format", formatTable, "show the result in this `FORMAT`: table, json, jsonl, or a Go template")
}

// listing shows rows of type R.
type listing[R any] struct {
	out  *terminal.Printer
	opts listOptions
	tmpl *rowTemplate[R]
}

// newListing refuses a format that cannot be used. The row is said with its
// article: "an image".
func newListing[R any](p process, o listOptions, row string, example R) (*listing[R], error) {
	l := &listing[R]{out: p.printer(p.stdout), opts: o}
	l.out.Whole = o.noTrunc
	switch {
	case o.quiet && o.format != formatTable:
		return nil, usagef("--quiet and --format contradict each other: choose one of them")
	case o.format == formatTable || o.format == formatJSON || o.format == formatLines:
		return l, nil
	case !strings.Contains(o.format, "{{"):
		return nil, usagef("--format %q is unknown: type table, json, jsonl, or a Go template such as '{{.%s}}'", o.format, fieldsOf(reflect.TypeFor[R]())[0])
	}
	var err error
	l.tmpl, err = newRowTemplate(o.format, row, example)
	return l, err
}

// content is one result in the forms that it can be asked for.
type content[R any] struct {
	// doc is what JSON shows; lines what JSON lines show, one each.
	doc   any
	lines []any
	// rows are what a template is executed for.
	rows []R
	// name is what --quiet shows of a row.
	name func(R) string
	// text shows all to people.
	text func(out *terminal.Printer)
}

func (l *listing[R]) show(c content[R]) error {
	switch {
	case l.tmpl != nil:
		if err := l.tmpl.show(l.out, c.rows); err != nil {
			return err
		}
	case l.opts.quiet:
		for _, row := range c.rows {
			l.out.Line("%s", l.out.Name(c.name(row)))
		}
	case l.opts.format == formatJSON:
		if err := l.encode(c.doc, "  "); err != nil {
			return err
		}
	case l.opts.format == formatLines:
		for _, line := range c.lines {
			if err := l.encode(line, ""); err != nil {
				return err
			}
		}
	default:
		c.text(l.out)
	}
	return l.out.Flush()
}

func (l *listing[R]) encode(v any, indent string) error {
	b, err := encodeJSON(v, indent)
	if err != nil {
		return err
	}
	l.out.Write(string(b))
	return nil
}
