package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
)

// helpWidth is the maximum width of help: wider lines are harder to read.
const helpWidth = 100

// otherFlags is the title of flags that are in no group.
const otherFlags = "Other"

// help prints the help of a command on stdout.
func help(cmd *cobra.Command, _ []string) {
	var b strings.Builder
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	b.WriteString(text + "\n\n")
	writeUsage(&b, cmd)
	cmd.Print(b.String())
}

// usage prints the usage of a command on stderr.
func usage(cmd *cobra.Command) error {
	var b strings.Builder
	writeUsage(&b, cmd)
	cmd.PrintErr(b.String())
	return nil
}

// section is a part of the help that does not belong to a flag.
type section struct{ title, text string }

func sections(cmd *cobra.Command) []section {
	if cmd.HasParent() {
		return fieldSections(cmd)
	}
	return []section{{"Filters", filterHelp}, {"Exit codes", exitCodes}}
}

const filterHelp = `  dangling=true|false         only dangling images (the default), or all: the same as --all
  until=AGE|TIME              the same as --until
  before=IMAGE, since=IMAGE   it is older, or newer, than this image
  id=IMAGE[,…]                it is one of these: the same as naming it as an argument
  label=KEY[=VALUE]           the image has this label, on a platform that is present
  label!=KEY[=VALUE]          the image has it on no platform
  reference=PATTERN[,…]       its name matches one, such as nginx, 'nginx:1.*' or 'ghcr.io/*/*'
  reference!=PATTERN[,…]      its name matches none

  Ages such as 72h, 3d, 2w or 1d12h are counted from the latest of three times:
  when the record was created, when it was updated, and when its image was added
  to the store. Times are 2026-01-31, RFC 3339, or Unix seconds. All filters must
  match. An image that a filter cannot judge is kept.`

// newHelp returns the command that prints the help of another one.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:                   "help [COMMAND]",
		Short:                 "Help with a command",
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("there is no command %q; see %s --help", strings.Join(args, " "), cmd.Root().Name())
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
	}
}

func writeUsage(b *strings.Builder, cmd *cobra.Command) {
	b.WriteString("Usage:\n  " + cmd.UseLine() + "\n")
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.CommandPath() + " COMMAND\n")
	}
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n" + cmd.Example + "\n")
	}
	for _, group := range flagGroups(cmd) {
		b.WriteString("\n" + group.title + ":\n" + group.flags.FlagUsagesWrapped(helpWidth))
	}
	writeCommands(b, cmd)
	for _, s := range sections(cmd) {
		b.WriteString("\n" + s.title + ":\n" + s.text + "\n")
	}
}

func writeCommands(b *strings.Builder, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	b.WriteString("\nCommands:\n")
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			b.WriteString("  " + sub.Name() + strings.Repeat(" ", max(1, sub.NamePadding()-len(sub.Name())+2)) + sub.Short + "\n")
		}
	}
}

type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// flagGroups sorts the flags of a command by their groups, those without one
// last.
func flagGroups(cmd *cobra.Command) []flagGroup {
	var groups []flagGroup
	add := func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		title := otherFlags
		if group := f.Annotations[groupKey]; len(group) > 0 {
			title = group[0]
		}
		i := slices.IndexFunc(groups, func(g flagGroup) bool { return g.title == title })
		if i < 0 {
			i = len(groups)
			fs := pflag.NewFlagSet(title, pflag.ContinueOnError)
			fs.SortFlags = false
			groups = append(groups, flagGroup{title, fs})
		}
		groups[i].flags.AddFlag(f)
	}
	cmd.LocalFlags().VisitAll(add)
	cmd.InheritedFlags().VisitAll(add)
	slices.SortStableFunc(groups, func(a, b flagGroup) int {
		return boolInt(a.title == otherFlags) - boolInt(b.title == otherFlags)
	})
	return groups
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Annotations of a command whose --format takes a template.
const (
	rowKey    = "ctr-prune/template-row"
	fieldsKey = "ctr-prune/template-fields"
	// extraKey is the help with the filters of a command.
	extraKey = "ctr-prune/filters"
)

// templateHelp lists the fields of a row in the help.
func templateHelp[R any](cmd *cobra.Command, shape format.Shape[R]) {
	if cmd.Annotations == nil {
		cmd.Annotations = make(map[string]string)
	}
	cmd.Annotations[rowKey] = shape.Row
	cmd.Annotations[fieldsKey] = format.Fields(*new(R))
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
	about := fmt.Sprintf("%s has the fields %s. Functions are docker's: json, join, split, upper, lower, title, pad, truncate, println; and size. %q makes a table.",
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
