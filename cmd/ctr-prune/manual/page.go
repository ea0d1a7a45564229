package manual

import (
	"strings"

	"github.com/spf13/pflag"
)

// Page is what there is to say about a command.
type Page struct {
	// Command is the whole name, such as "ctr-prune runs drop".
	Command     string
	Short, Long string
	// Usage are the forms of a command line.
	Usage    []string
	Examples string
	Groups   []Group
	Commands []Entry
	// Sections follow, such as the exit codes. Those that are not Brief are only in the
	// whole help.
	Sections []Section
	// Parent is the command of which this is a part, "" if there is none.
	Parent string
}

// Group is a group of flags.
type Group struct {
	Title string
	Flags []Flag
}

// Flag is a flag with its explanation.
type Flag struct {
	Short, Name string
	// Value is what has to be given, "" for a switch.
	Value string
	// Optional says that the value may be left out.
	Optional bool
	Text     string
	// Default is what holds if the flag is not given, "" if the text says so.
	Default string
	// Rare flags are only in the whole help.
	Rare bool
}

// Entry is a name with what it means.
type Entry struct{ Name, Text string }

// Section is a part of its own.
type Section struct {
	Title   string
	Entries []Entry
	// Prose are paragraphs below the entries.
	Prose []string
	// Man says that it is only in the page for man, and Brief that it is in the short help.
	Man, Brief bool
}

// FlagOf describes a flag of a command.
func FlagOf(f *pflag.Flag) Flag {
	value, text := pflag.UnquoteUsage(f)
	flag := Flag{Short: f.Shorthand, Name: f.Name, Value: value, Text: text, Optional: f.NoOptDefVal != "" && f.Value.Type() != "bool"}
	if f.Value.Type() == "bool" {
		flag.Value = ""
	}
	switch {
	case strings.Contains(text, "default") || strings.Contains(text, "if not given"):
	case f.DefValue != "" && f.DefValue != "[]" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s":
		flag.Default = f.DefValue
	}
	return flag
}

// Form is how a flag is typed.
func (f Flag) Form() string {
	form := "--" + f.Name
	switch {
	case f.Optional:
		form += "[=" + f.Value + "]"
	case f.Value != "":
		form += " " + f.Value
	}
	if f.Short != "" {
		return "-" + f.Short + ", " + form
	}
	return form
}

// Whole is all that is said of a flag.
func (f Flag) Whole() string {
	if f.Default == "" {
		return f.Text
	}
	return f.Text + " (default " + f.Default + ")"
}

// Brief is the first part of what is said of a flag.
func (f Flag) Brief() string {
	text, end := f.Text, len(f.Text)
	for _, stop := range []string{"; ", " (", ": ", ", so that ", ", such as ", ", those first", ", see ", ", or "} {
		if i := strings.Index(text, stop); i > 0 {
			end = min(end, i)
		}
	}
	return text[:end]
}
