package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
)

// manDate stands in the manual pages, which are the same whenever they are
// made. It changes when their text does.
const manDate = "2026-11-01"

// manual is where the pages are. A test writes them because what makes them
// would be a fiftieth of the program, which has no other use for it.
var manual = filepath.Join("..", "..", "docs", "man")

func TestManualPagesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	if *texttest.Update {
		dir = manual
	}
	if err := writeManual(newFake("").process, dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pages(t, manual), pages(t, dir)); diff != "" {
		t.Errorf("docs/man is not current; run: make man\n(-committed +generated):\n%s", diff)
	}
}

// pages reads a directory of manual pages.
func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

// writeManual writes a page for every command, into a directory that exists.
func writeManual(p process, dir string) error {
	date, err := time.Parse(time.DateOnly, manDate)
	if err != nil {
		return fmt.Errorf("the date of the manual: %w", err)
	}
	root := newRoot(p) // one of its own: what is changed below is not shown by --help
	root.DisableAutoGenTag = true
	forManual(root)
	header := &doc.GenManHeader{Section: "1", Date: &date, Source: "ctr-prune", Manual: "User Commands"}
	if err := doc.GenManTree(root, header, dir); err != nil {
		return fmt.Errorf("writing the manual pages: %w", err)
	}
	return nil
}

// forManual puts into the long text of a command what only the help shows
// otherwise, in Markdown, and adapts it to a page.
func forManual(cmd *cobra.Command) {
	for _, s := range sections(cmd) {
		cmd.Long += "\n\n# " + strings.ToUpper(s.title) + "\n\n```\n" + s.text + "\n```"
	}
	for _, sub := range cmd.Commands() {
		forManual(sub)
	}
}
