package github

import (
	"fmt"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// Level is how important a remark is.
type Level string

// The levels of annotations.
const (
	Notice  Level = "notice"
	Warning Level = "warning"
	Error   Level = "error"
)

// Remark is a sentence that is shown beside the step.
type Remark struct {
	Level Level
	// Title is "ctr-prune" if it is empty.
	Title string
	Text  string
	// File is what the remark is about, and shown beside its Line; "" if it is no file.
	File         string
	Line, Column int
}

// mostRemarks is how many annotations of each level GitHub shows of a step.
const mostRemarks = 10

const program = "ctr-prune"

// Command returns the line that makes the runner annotate the step.
func (r Remark) Command() string {
	title := r.Title
	if title == "" {
		title = program
	}
	place := ""
	if r.File != "" {
		place = fmt.Sprintf("file=%s,line=%d,col=%d,", inProperty.Replace(terminal.Quote(r.File)), r.Line, r.Column)
	}
	return "::" + string(r.Level) + " " + place + "title=" + inProperty.Replace(terminal.Quote(title)) + "::" + inMessage.Replace(terminal.Quote(r.Text)) + "\n"
}

// What the runner decodes, see its ActionCommand.
var (
	inMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	inProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// Shown are the remarks of which GitHub shows each: of a level that has too many,
// the first ones and how many more there are.
func Shown(all []Remark) (shown []Remark) {
	total, used := make(map[Level]int), make(map[Level]int)
	for _, r := range all {
		total[r.Level]++
	}
	for _, r := range all {
		used[r.Level]++
		switch n := used[r.Level]; {
		case n < mostRemarks || total[r.Level] <= mostRemarks:
			shown = append(shown, r)
		case n == mostRemarks:
			more := total[r.Level] - mostRemarks + 1
			shown = append(shown, Remark{Level: r.Level, Text: "and " + terminal.Count(more, "more "+string(r.Level)) + ", see the summary of the step"})
		}
	}
	return shown
}

// Plain returns text for the log of which no line is a command of the runner: it
// takes lines for such that begin with ::, and those with ##[ anywhere.
func Plain(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.ReplaceAll(line, "##[", `##\x5b`)
		if trimmed := strings.TrimSpace(line); strings.HasPrefix(trimmed, "::") {
			line = strings.Replace(line, "::", `\x3a:`, 1)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}
