package main

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The formats that have a name.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatLines = "jsonl"
)

// outputOptions say how results are shown.
type outputOptions struct {
	format  string
	quiet   bool
	noTrunc bool
}

func (o *outputOptions) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.format, "format", formatTable, "show results in this `FORMAT`: table, json, jsonl, or a Go template for each image such as '{{.Name}}' or 'table {{.Name}}\\t{{.Reason}}'")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "only the names of the images that go, one a line")
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "do not shorten names, digests and reasons")
}

// view shows a plan or a report.
type view interface {
	show(doc prune.Document) error
}

// view returns the view that was asked for. Whatever is wrong with it is a
// usage error now, before anything is read.
func (o *outputOptions) view(p process) (view, error) {
	out := p.printer(p.stdout)
	out.Whole = o.noTrunc
	named := o.format == formatTable || o.format == formatJSON || o.format == formatLines
	switch {
	case o.quiet && o.format != formatTable:
		return nil, usagef("--quiet and --format contradict each other: choose one of them")
	case o.quiet:
		return quietView{out}, nil
	case o.format == formatTable:
		return textView{out: out}, nil
	case o.format == formatJSON:
		return jsonView{out}, nil
	case o.format == formatLines:
		return &linesView{out: out}, nil
	case !named && !strings.Contains(o.format, "{{"):
		return nil, usagef("--format %q is unknown: type table, json, jsonl, or a Go template such as '{{.Name}}'", o.format)
	}
	return newTemplateView(out, o.format)
}
