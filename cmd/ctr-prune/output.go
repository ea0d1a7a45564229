package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/trust"
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

// Versions of the documents that are not plans or reports. Fields are added
// without a new version; none goes away or changes its meaning without one.
const (
	explainSchema = 1
	usageSchema   = 1
	runsSchema    = 1
	leasesSchema  = 1
	checkSchema   = 1
)

// header begins every document.
type header struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	// Time is when the store was read.
	Time time.Time `json:"time"`
}

const flagHTML = "html"

func addHTML(fs *pflag.FlagSet, path *string) {
	fs.StringVar(path, flagHTML, "", "also write the result as a page with a map of the store into this `FILE`, for a browser; it needs no network")
}

// checkHTML refuses what cannot be a page's file before anything is read.
func checkHTML(p process, path string) error {
	if path == "-" {
		return usagef("--%s needs a file: the result itself goes to stdout", flagHTML)
	}
	if path == "" {
		return nil
	}
	if privatefile.Opened(p.stdout, path) {
		return usagef("--%s names the file into which stdout goes: choose another for one of them", flagHTML)
	}
	return checkFile(path)
}

// picture writes the page of a plan or a report, if one was asked for.
func (o *acting) picture(p process, plan *prune.Plan, doc prune.Document) error {
	if o.html == "" {
		return nil
	}
	return writePage(p, o.html, htmlreport.Page{Usage: text.AdviseUsage(prune.Usage(plan, true)), Document: &doc, Generated: p.now()})
}

func writePage(p process, path string, page htmlreport.Page) error {
	if err := privatefile.Write(path, func(w io.Writer) error { return htmlreport.Write(w, page) }); err != nil {
		return fmt.Errorf("--%s: %w", flagHTML, err)
	}
	return p.say("The page is in %s.", path)
}

// checkFile refuses a file to write to before anything is done: a link, what
// is no regular file, or one in a folder that takes none.
func checkFile(path string) error {
	if err := privatefile.Check(path); err != nil {
		return usagef("%s", err)
	}
	return nil
}

const flagInsecureFile = "allow-insecure-file"

// caller is the user who called this with sudo, zero if nobody did: what is
// that user's own is as good as root's, because who may call this as root
// could have named any file.
func caller(p process) int {
	user, err := strconv.Atoi(p.getenv("SUDO_UID"))
	if err != nil || user < 0 || os.Geteuid() != 0 {
		return 0
	}
	return user
}

// believed refuses a plan that others may have written: it decides what goes.
func believed(p process, f *os.File) error {
	err := trust.Self().And(caller(p)).File(f)
	if refused, ok := errors.AsType[*trust.Refusal](err); ok {
		return usagef("%s: %s, or do what it says with --%s", f.Name(), refused, flagInsecureFile)
	}
	if err != nil {
		return usagef("the plan cannot be read: %s", err)
	}
	return nil
}
