package retention

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/filters/spelling"
)

// parser collects the problems of a file.
type parser struct {
	file     string
	problems []*Problem
	// names are where the rules of each name are.
	names map[string]position
}

func placeOf(n *yaml.Node) position { return position{max(n.Line, 1), max(n.Column, 1)} }

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	p.failAt(placeOf(n), format, args...)
}

func (p *parser) failAt(at position, format string, args ...any) {
	p.problems = append(p.problems, &Problem{p.file, at.line, at.column, fmt.Sprintf(format, args...)})
}

// key is a key of a mapping, and what reads its value.
type key struct {
	name string
	read func(*yaml.Node)
}

// mapping reads a mapping with just these keys. It returns the nodes of those
// that are there.
func (p *parser) mapping(n *yaml.Node, what string, keys ...key) map[string]*yaml.Node {
	found := make(map[string]*yaml.Node)
	if !p.plain(n) {
		return found
	}
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s is %s: write %s", what, kindOf(n), keysOf(keys))
		return found
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		switch k := find(keys, name); {
		case !p.plain(name):
		case k == nil:
			p.fail(name, "%s has an unknown key %s: %swrite %s", what, shown(name), spelling.Hint(name.Value, "", namesOf(keys)), keysOf(keys))
		case found[k.name] != nil:
			p.fail(name, "%s has the key %s twice", what, k.name)
		case value.Kind == yaml.ScalarNode && value.Tag == "!!null":
			found[k.name] = value
			p.fail(name, "%s has no value", k.name)
		default:
			found[k.name] = value
			k.read(value)
		}
	}
	return found
}

func find(keys []key, name *yaml.Node) *key {
	for i := range keys {
		if name.Kind == yaml.ScalarNode && name.Value == keys[i].name {
			return &keys[i]
		}
	}
	return nil
}

func keysOf(keys []key) string { return enumerated(namesOf(keys), "or") }

func namesOf(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

// enumerated joins words to a part of a sentence.
func enumerated(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}

// plain refuses what makes YAML mean something else than it says.
func (p *parser) plain(n *yaml.Node) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		p.fail(n, "*%s refers to another place in the file: write out what is meant", n.Value)
	case n.Anchor != "":
		p.fail(n, "&%s names this place for others: write these out instead", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		p.fail(n, "the tag %s is not supported: leave it out", n.Tag)
	default:
		return true
	}
	return false
}

// kindOf says what a value is.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "empty"
	case "!!bool":
		return "a boolean value"
	case "!!int", "!!float":
		return "a number"
	case "!!str":
		return "text"
	default:
		return "a " + strings.TrimPrefix(n.Tag, "!!")
	}
}

// shown quotes the text of a value, or says what it is.
func shown(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return kindOf(n)
	}
	const most = 100
	if len(n.Value) > most {
		return strconv.Quote(n.Value[:most]) + "…"
	}
	return strconv.Quote(n.Value)
}

// list reads a list, each element with the function.
func (p *parser) list(n *yaml.Node, what string, read func(*yaml.Node)) {
	if !p.plain(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "%s is %s: write a list, such as [a, b]", what, kindOf(n))
		return
	}
	for _, element := range n.Content {
		read(element)
	}
}

// text reads a text, which may not be empty.
func (p *parser) text(n *yaml.Node, what string) (string, bool) {
	switch {
	case !p.plain(n):
		return "", false
	case n.Kind == yaml.ScalarNode && n.Tag != "!!str" && n.Tag != "!!null":
		p.fail(n, "%s %s is %s: write it in quotes", what, shown(n), kindOf(n))
		return "", false
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		p.fail(n, "%s is %s: write a text", what, kindOf(n))
		return "", false
	case strings.TrimSpace(n.Value) == "":
		p.fail(n, "%s is empty", what)
		return "", false
	}
	return n.Value, true
}

// number reads a whole number of at least one.
func (p *parser) number(n *yaml.Node, what string) int {
	if !p.plain(n) {
		return 0
	}
	if v, err := strconv.Atoi(n.Value); err == nil && n.Kind == yaml.ScalarNode && n.Tag == "!!int" && v > 0 && v <= maxNumber {
		return v
	}
	p.fail(n, "%s is %s: write a whole number from 1 to %d", what, shown(n), maxNumber)
	return 0
}

// maxNumber is more than any count in a policy needs.
const maxNumber = 1_000_000_000

// quantity reads the text of something with a unit. Also a bare number is read,
// so that what is wrong with it can be said.
func (p *parser) quantity(n *yaml.Node, what, such string) (string, bool) {
	if !p.plain(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Tag == "!!bool" {
		p.fail(n, "%s is %s: write one such as %s", what, kindOf(n), such)
		return "", false
	}
	return n.Value, true
}

// age reads an age.
func (p *parser) age(n *yaml.Node, what string) Age {
	typed, ok := p.quantity(n, what, "72h, 3d or 2w")
	if !ok {
		return Age{}
	}
	age, err := ParseAge(typed)
	p.typed(n, what, err)
	return age
}

// positive reads an age above zero.
func (p *parser) positive(n *yaml.Node, what string) Age {
	before := len(p.problems)
	age := p.age(n, what)
	if age.Length <= 0 && len(p.problems) == before {
		p.fail(n, "%s is zero: write an age such as 72h, 3d or 2w", what)
	}
	return age
}

// size reads a number of bytes.
func (p *parser) size(n *yaml.Node, what string) Size {
	typed, ok := p.quantity(n, what, "20GB or 20GiB")
	if !ok {
		return Size{}
	}
	bytes, err := filters.ParseSize(typed)
	p.typed(n, what, err)
	return Size{bytes, typed}
}

// typed tells what is wrong with a value that package filters has parsed.
func (p *parser) typed(n *yaml.Node, what string, err error) {
	var wrong *filters.Error
	if errors.As(err, &wrong) {
		p.fail(n, "%s %s: %s", what, wrong.What, strings.ReplaceAll(wrong.Instead, "type ", "write "))
	}
}

// percent reads a percentage from 1% to 100%.
func (p *parser) percent(n *yaml.Node, what string) int {
	typed, ok := p.quantity(n, what, "60%")
	if !ok {
		return 0
	}
	digits, unit := strings.CutSuffix(typed, "%")
	v, err := strconv.Atoi(digits)
	switch {
	case err == nil && !unit:
		p.fail(n, "%s %q has no unit: write a percentage, such as 60%%", what, typed)
	case err != nil || v < 1 || v > 100 || strings.TrimLeft(digits, "123456789") == digits:
		p.fail(n, "%s %q is not a percentage: write one from 1%% to 100%%", what, typed)
	default:
		return v
	}
	return 0
}

// word reads one of some words.
func (p *parser) word(n *yaml.Node, what string, words ...string) string {
	if !p.plain(n) {
		return ""
	}
	for _, word := range words {
		if n.Kind == yaml.ScalarNode && n.Value == word {
			return word
		}
	}
	p.fail(n, "%s is %s: write %s", what, shown(n), enumerated(words, "or"))
	return ""
}
