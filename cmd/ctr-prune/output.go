package main

import (
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
)

// outputOptions say how a plan or a report is shown.
type outputOptions struct {
	format  string
	quiet   bool
	noTrunc bool
}

func (o *outputOptions) add(fs *pflag.FlagSet) {
	fs.StringVar(&o.format, "format", format.Table, "show results in this `FORMAT`: table, json, jsonl, or a Go template for each image such as '{{.Name}}' or 'table {{.Name}}\\t{{.Reason}}'")
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "only the names of the images that go, one a line")
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "do not shorten names, digests and reasons")
}

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
	fs.StringVar(&o.format, "format", format.Table, "show results in this `FORMAT`: table, json, jsonl, or a Go template for "+row+", see the fields below")
	if names != "" {
		o.hasQuiet = true
		fs.BoolVarP(&o.quiet, "quiet", "q", false, "only "+names+", one a line")
	}
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "do not shorten names, digests and reasons")
}

// addDocument adds the flag of a command whose result is one thing.
func (o *listOptions) addDocument(fs *pflag.FlagSet) {
	fs.StringVar(&o.format, "format", format.Table, "show the result in this `FORMAT`: table, json, jsonl, or a Go template")
}

// newListing refuses a format that cannot be used. The row is said with its
// article: "an image".
func newListing[R any](p process, o listOptions, row string, example R) (*format.Output[R], error) {
	shape := format.Shape[R]{Row: row, Examples: []format.Result[R]{{Rows: func() []R { return []R{example} }}}}
	return newOutput(p, outputOptions{o.format, o.quiet, o.noTrunc}, shape)
}

// newOutput prepares what shows results on stdout.
func newOutput[R any](p process, o outputOptions, shape format.Shape[R]) (*format.Output[R], error) {
	out := p.printer(p.stdout)
	out.Whole = o.noTrunc
	output, err := format.New(out, format.Options{Format: o.format, Quiet: o.quiet}, shape)
	if err != nil {
		return nil, usagef("%s", err)
	}
	return output, nil
}

// each makes one thing of another.
func each[T, U any](items []T, convert func(T) U) []U {
	all := make([]U, len(items))
	for i, item := range items {
		all[i] = convert(item)
	}
	return all
}
