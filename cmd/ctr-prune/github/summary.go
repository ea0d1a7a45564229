package github

import (
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

const (
	// mostSummary is how much of a text the summary has. GitHub shows none at all if
	// a step writes more than 1 MiB.
	mostSummary = 512 << 10
	// mostOpen is how many lines are shown without a click.
	mostOpen = 60
)

// Summary is the Markdown for the summary of a step: the first remark as a heading,
// the others below it, and the text, as a printer for Markdown wrote it.
func Summary(remarks []Remark, text string) string {
	var b strings.Builder
	for i, r := range remarks {
		switch {
		case i == 0:
			b.WriteString("### " + program + ": " + sentence(r) + "\n\n")
		case i > mostOpen:
		default:
			b.WriteString("- " + sentence(r) + "\n")
		}
	}
	text, cut := terminal.CutMarkdown(text, mostSummary)
	if cut {
		text += "\nThe rest is in the log of the step.\n"
	}
	state := " open"
	if strings.Count(text, "\n") > mostOpen {
		state = ""
	}
	if text != "" {
		b.WriteString("\n<details" + state + "><summary>Details</summary>\n\n" + text + "\n</details>\n")
	}
	return b.String() + "\n"
}

// sentence is a remark in Markdown.
func sentence(r Remark) string {
	said := terminal.Markdown(r.Text)
	if r.Title != "" {
		said = terminal.Markdown(r.Title) + ": " + said
	}
	switch r.Level {
	case Error:
		return "**Error:** " + said
	case Warning:
		return "**Warning:** " + said
	default:
		return said
	}
}

// Asked says whether a command line asks for this format, as far as that can be told
// of one that has mistakes.
func Asked(args []string) bool {
	for i, arg := range args {
		switch {
		case arg == "--":
			return false
		case arg == "--format="+Format, arg == "--format" && i+1 < len(args) && args[i+1] == Format:
			return true
		}
	}
	return false
}

// Format is the value of --format.
const Format = "github"

// Say writes a remark to the log and to the summary.
func (f Files) Say(log *terminal.Printer, r Remark) error {
	log.Write(r.Command())
	if err := log.Flush(); err != nil {
		return err
	}
	return f.AddSummary(sentence(r) + "\n\n")
}
