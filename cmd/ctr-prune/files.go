package main

import (
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/htmlreport"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
	"github.com/ctr-prune/ctr-prune/prune"
)

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
	return writePage(p, o.html, htmlreport.Page{Usage: plan.Usage(true), Document: &doc, Generated: p.now()})
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
