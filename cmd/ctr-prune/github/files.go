package github

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Files are where the runner reads what a step has to say beside its log. A name
// that is empty, as outside of GitHub Actions, means that nothing is written.
type Files struct{ summary, outputs string }

// FilesOf finds the files in the environment of a step.
func FilesOf(getenv func(string) string) Files {
	return Files{getenv("GITHUB_STEP_SUMMARY"), getenv("GITHUB_OUTPUT")}
}

// Check returns an error if a file cannot be written to.
func (f Files) Check() error {
	return errors.Join(add("GITHUB_STEP_SUMMARY", f.summary, ""), add("GITHUB_OUTPUT", f.outputs, ""))
}

// AddSummary adds Markdown to the summary of the step.
func (f Files) AddSummary(markdown string) error {
	return add("GITHUB_STEP_SUMMARY", f.summary, markdown)
}

// Figure is a number that later steps can use.
type Figure struct {
	Name  string
	Value int64
}

// AddOutputs sets outputs of the step.
func (f Files) AddOutputs(figures []Figure) error {
	var lines strings.Builder
	for _, figure := range figures {
		lines.WriteString(figure.Name + "=" + strconv.FormatInt(figure.Value, 10) + "\n")
	}
	return add("GITHUB_OUTPUT", f.outputs, lines.String())
}

// add appends to a file. As root it is not led elsewhere by a link, nor held up by
// a pipe.
func add(variable, path, text string) (err error) {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o644)
	if err == nil {
		_, err = io.WriteString(f, text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("the file of $%s cannot be written: %w", variable, err)
	}
	return nil
}
