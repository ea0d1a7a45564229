package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// event is a line of go test -json, see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // instead of Package in what the build says
	Test       string
	Elapsed    float64
	Output     string
}

// module is cut from the names of packages.
const module = "github.com/ctr-prune/ctr-prune/"

// read takes in the events of one go test, and prints a line for each package
// and the output of tests that failed.
func (s *summary) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				fmt.Fprintf(s.out, "%s", line) // go itself speaks
			} else {
				s.take(e)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the results of go test: %w", err)
		}
	}
}

func (s *summary) take(e event) {
	if e.Package == "" {
		e.Package = e.ImportPath
	}
	e.Package = strings.TrimPrefix(e.Package, module)
	id := testID{e.Package, e.Test}
	switch e.Action {
	case "output", "build-output":
		s.said[id] = append(s.said[id], e.Output)
	case "build-fail":
		s.show(id)
	case "pass", "skip", "fail":
		if e.Test == "" {
			s.endPackage(e)
		} else {
			s.endTest(id, e.Action)
		}
	}
}

func (s *summary) endTest(id testID, action string) {
	switch action {
	case "pass":
		s.passed++
	case "skip":
		why := reason(s.said[id])
		s.skipped[why] = append(s.skipped[why], id)
	case "fail":
		s.failed++
		s.failures = append(s.failures, id)
		s.show(id)
	}
	delete(s.said, id)
}

func (s *summary) endPackage(e event) {
	word := map[string]string{"pass": "ok", "skip": "-", "fail": "FAIL"}[e.Action]
	if e.Action == "fail" {
		// A crash or a timeout ends no test: what the unended ones said is all
		// there is to know.
		for id := range s.said {
			if id.pkg == e.Package {
				s.show(id)
			}
		}
		s.failed++
		s.failures = append(s.failures, testID{pkg: e.Package})
	}
	if e.Action != "skip" {
		fmt.Fprintf(s.out, "%-6s %-32s %.1fs\n", word, e.Package, e.Elapsed)
	}
	for id := range s.said {
		if id.pkg == e.Package {
			delete(s.said, id)
		}
	}
}

// show prints what a test said, once.
func (s *summary) show(id testID) {
	for _, text := range s.said[id] {
		if !strings.HasPrefix(text, "=== ") {
			fmt.Fprint(s.out, text)
		}
	}
	delete(s.said, id)
}

// reason finds in the output of a skipped test why it was skipped: the last
// thing that it said, without its place in the source.
func reason(said []string) string {
	why := "no reason was given"
	for _, text := range said {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "=== ") || strings.HasPrefix(text, "--- ") {
			continue
		}
		why = text
		if place, rest, ok := strings.Cut(text, ": "); ok && strings.Contains(place, ".go:") {
			why = rest
		}
	}
	return why
}
