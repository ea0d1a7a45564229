package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
)

// Annotations of a command whose --format takes a template.
const (
	rowKey    = "ctr-prune/template-row"
	fieldsKey = "ctr-prune/template-fields"
	// extraKey is the help with the filters of a command.
	extraKey = "ctr-prune/filters"
)

// templateHelp lists the fields of a row, said with its article, in the help.
func templateHelp(cmd *cobra.Command, row string, example any) {
	if cmd.Annotations == nil {
		cmd.Annotations = make(map[string]string)
	}
	cmd.Annotations[rowKey] = row
	cmd.Annotations[fieldsKey] = format.Fields(example)
}

// fieldSections is the help with the fields of a command's templates.
func fieldSections(cmd *cobra.Command) []section {
	var sections []section
	if filters := cmd.Annotations[extraKey]; filters != "" {
		sections = append(sections, section{"Filters", filters})
	}
	fields := cmd.Annotations[fieldsKey]
	if fields == "" {
		return sections
	}
	first, _, _ := strings.Cut(fields, ",")
	about := fmt.Sprintf("%s has %s. Functions are docker's: json, join, split, upper, lower, title, pad, truncate, println; and size. %q makes a table.",
		text.Capital(cmd.Annotations[rowKey]), fields, "table {{"+first+"}}")
	return append(sections, section{"Fields for --format", indented(about)})
}

// indented breaks text into lines of the help.
func indented(text string) string {
	var lines []string
	line := " "
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > helpWidth-20 {
			lines, line = append(lines, line), " "
		}
		line += " " + word
	}
	return strings.Join(append(lines, line), "\n")
}
