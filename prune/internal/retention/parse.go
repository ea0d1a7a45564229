package retention

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Version is the version of the policy file that is known.
const Version = 1

// MaxFile bounds a policy file, and a file of patterns: ten thousand rules are a
// tenth of it.
const MaxFile = 16 << 20

// Parse parses a policy file. File is its name in the problems that it has. The
// error joins them all, each a *[Problem].
func Parse(file string, text []byte) (*Policy, error) {
	p := &parser{file: file, names: make(map[string]position)}
	policy := &Policy{}
	if top := p.document(text); top != nil {
		p.policy(top, policy)
	}
	if len(p.problems) == 0 {
		if err := policy.prepare(); err != nil {
			p.failAt(position{1, 1}, "%s", err)
		} else {
			p.unreachable(policy)
		}
	}
	if len(p.problems) > 0 {
		return nil, joined(p.problems)
	}
	return policy, nil
}

// document reads the one document of a file.
func (p *parser) document(text []byte) *yaml.Node {
	if len(text) > MaxFile {
		p.failAt(position{1, 1}, "the file has more than %d bytes", MaxFile)
		return nil
	}
	var doc, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	err := decoder.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0:
		p.failAt(position{1, 1}, "the file is empty: begin it with version: %d", Version)
		return nil
	case err != nil:
		p.unreadable(text, err)
		return nil
	}
	err = decoder.Decode(&second)
	switch {
	case errors.Is(err, io.EOF):
		return doc.Content[0]
	case err != nil:
		p.unreadable(text, err)
	default:
		p.fail(&second, "a second document begins here: a policy file has one")
	}
	return nil
}

// yamlError is how package yaml says where something is wrong: it has no type
// for that, and no column.
var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// unreadable tells of text that is not YAML. The column is where the text of the
// line begins.
func (p *parser) unreadable(text []byte, err error) {
	at := position{1, 1}
	words := err.Error()
	if m := yamlError.FindStringSubmatch(words); m != nil {
		words = words[len(m[0]):]
		if line, err := strconv.Atoi(m[1]); err == nil {
			at.line = line
		}
	}
	lines := strings.Split(string(text), "\n")
	at.line = max(1, min(at.line, len(lines)))
	line := lines[at.line-1]
	if start := strings.TrimLeft(line, " "); start != "" {
		at.column = 1 + len(line) - len(start)
	}
	p.failAt(at, "this is not YAML: %s", words)
}

// ParsePatterns parses a file of patterns: one a line, and comments after #.
func ParsePatterns(file string, text []byte) ([]Pattern, error) {
	p := &parser{file: file}
	var patterns []Pattern
	for i, line := range strings.Split(string(text), "\n") {
		glob, _, _ := strings.Cut(line, "#")
		short := strings.TrimSpace(glob)
		if short == "" {
			continue
		}
		pattern, err := ParsePattern(short)
		if err != nil {
			p.failAt(position{i + 1, 1 + strings.Index(glob, short)}, "%s", err)
			continue
		}
		patterns = append(patterns, pattern)
	}
	return patterns, joined(p.problems)
}

// Included returns the policy with the patterns of its files.
func (p *Policy) Included(patterns []Pattern) (*Policy, error) {
	changed := *p
	changed.Protect.Names = append(append([]Pattern(nil), p.Protect.Names...), patterns...)
	changed.Protect.Files = nil
	return &changed, changed.prepare()
}
