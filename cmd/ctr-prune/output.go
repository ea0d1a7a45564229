package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
)

// outputOptions say how a result is shown. A command has those of the flags
// that make sense for it.
type outputOptions struct {
	format  string
	quiet   bool
	noTrunc bool
	html    string
}

// add adds the flags. The help texts say what a template is executed for and
// what --quiet prints; if the latter is empty, there is no --quiet.
func (o *outputOptions) add(fs *pflag.FlagSet, row, names string) {
	o.addFormat(fs, " for "+row)
	if names != "" {
		fs.BoolVarP(&o.quiet, "quiet", "q", false, "show only "+names+"; one per line")
	}
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "do not shorten names, digests and reasons")
}

func (o *outputOptions) addFormat(fs *pflag.FlagSet, row string) {
	fs.StringVar(&o.format, "format", format.Table, "show the result in this `FORMAT`: table, json, jsonl, github (annotations and summary of a step of GitHub Actions), or a Go template"+row)
}

// table says that the result is shown to people, and as a whole.
func (o *outputOptions) table() bool { return o.format == format.Table && !o.quiet }

const flagHTML = "html"

func (o *outputOptions) addHTML(fs *pflag.FlagSet) {
	fs.StringVar(&o.html, flagHTML, "", "also write the result to this `FILE` as an HTML page with a map of the store; it needs no network")
}

// check returns an error for a page's file that cannot be written, before
// anything is read.
func (o *outputOptions) check(p process) error {
	switch {
	case o.html == "":
		return nil
	case o.html == "-":
		return usagef("--%s needs a file: the result itself goes to stdout", flagHTML)
	case privatefile.Opened(p.stdout, o.html):
		return usagef("--%s names the file that stdout is redirected to: choose another file for one of them", flagHTML)
	}
	return checkFile(o.html)
}

// rowShape is the shape of results that are a list of rows; the text is one of
// them with its article, such as "an image".
func rowShape[R any](row string, example R) format.Shape[R] {
	return format.Shape[R]{Row: row, Examples: []format.Result[R]{{Rows: func() []R { return []R{example} }}}}
}

// newOutput prepares showing results on stdout.
func newOutput[R any](p process, o outputOptions, shape format.Shape[R]) (*format.Output[R], error) {
	out := p.printer(p.stdout)
	out.Whole = o.noTrunc
	out.ASCII = out.ASCII && o.table() // what programs read is exact
	output, err := format.New(out, format.Options{Format: o.format, Quiet: o.quiet, GitHub: github.FilesOf(p.getenv)}, shape)
	if err != nil {
		return nil, usagef("%s", err)
	}
	return output, o.check(p)
}

// each converts the elements of a list.
func each[T, U any](items []T, convert func(T) U) []U {
	all := make([]U, len(items))
	for i, item := range items {
		all[i] = convert(item)
	}
	return all
}

// Versions of the documents that are not plans or reports. Fields may be added
// without a new version, but removing one or changing its meaning requires one.
const (
	explainSchema = 1
	usageSchema   = 1
	runsSchema    = 1
	leasesSchema  = 1
	checkSchema   = 1

	policyTestSchema  = 1
	policyCheckSchema = 1
)

// header begins every document.
type header struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	// Time is when the store was read.
	Time time.Time `json:"time"`
}

// writePage writes the page of a result for a browser. Under sudo it belongs to who
// called that, whose browser is to show it.
func (p process) writePage(path string, page htmlreport.Page) error {
	page.Host, _ = os.Hostname() // "" is left out
	if err := privatefile.WriteFor(p.callerOwns(), path, func(w io.Writer) error { return htmlreport.Write(w, page) }); err != nil {
		return fmt.Errorf("--%s: %w", flagHTML, err)
	}
	return p.say("The page is in %s.", path)
}

// checkFile refuses a file to write to before anything is done: a link,
// anything but a regular file, or one in a folder that is not writable.
func checkFile(path string) error {
	if err := privatefile.Check(path); err != nil {
		return usagef("%s", err)
	}
	return nil
}

const flagInsecureFile = "allow-insecure-file"

// caller is the user who called this with sudo, or zero: that user's files are
// trusted like root's, because a user who may run this as root could name any
// file.
func caller(p process) int {
	user, err := strconv.Atoi(p.getenv("SUDO_UID"))
	if err != nil || user < 0 || os.Geteuid() != 0 {
		return 0
	}
	return user
}

// callerOwns is the owner of a file for who called this with sudo, nil if nobody
// did.
func (p process) callerOwns() *privatefile.Owner {
	user := caller(p)
	group, err := strconv.Atoi(p.getenv("SUDO_GID"))
	if user == 0 || err != nil || group < 0 {
		return nil
	}
	return &privatefile.Owner{User: user, Group: group}
}
