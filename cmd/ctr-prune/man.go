package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manDate stands in the manual pages, which are the same whenever they are
// made. It changes when their text does.
const manDate = "2026-11-01"

// newMan makes the hidden command that writes the manual pages.
func newMan(p process) *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages into a directory",
		Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("name the directory for the manual pages")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return writeManual(p, args[0]) },
	}
}

// writeManual writes a page for every command, into a directory that exists.
func writeManual(p process, dir string) error {
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return usagef("%q is not a directory", dir)
	}
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
