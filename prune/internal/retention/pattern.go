package retention

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/distribution/reference"
)

// maxPattern is longer than any name that a client accepts.
const maxPattern = 1024

// Pattern is a pattern of names: * is any text within a part between slashes,
// and a part ** any number of parts, of which there is at least one at the end.
type Pattern struct {
	glob  string
	parts []string
	// exact is the full form of a glob that is a plain reference, so that
	// docker.io/nginx means docker.io/library/nginx; "" for all others.
	exact string
}

const anyParts = "**"

// everything matches every name.
var everything = Pattern{glob: anyParts, parts: []string{anyParts}}

// ParsePattern parses a pattern of names of images.
func ParsePattern(glob string) (Pattern, error) {
	if err := checkPattern(glob); err != nil {
		return Pattern{}, err
	}
	p := Pattern{glob: glob, parts: strings.Split(glob, "/")}
	for _, part := range p.parts {
		if strings.Contains(part, anyParts) && part != anyParts {
			return Pattern{}, fmt.Errorf("%q has ** beside other text: write ** alone between slashes, or a single *", glob)
		}
	}
	if strings.Contains(glob, "*") {
		return p, nil
	}
	if named, err := reference.ParseNormalizedNamed(glob); err == nil {
		p.exact = named.String()
	}
	return p, nil
}

// parseSimple parses a pattern of what has no parts, such as a tag.
func parseSimple(glob string) (Pattern, error) {
	if err := checkPattern(glob); err != nil {
		return Pattern{}, err
	}
	if strings.Contains(glob, "/") || strings.Contains(glob, anyParts) {
		return Pattern{}, fmt.Errorf("%q has a / or **, which are only for names: * is any text here", glob)
	}
	return Pattern{glob: glob, parts: []string{glob}}, nil
}

func checkPattern(glob string) error {
	strange := func(r rune) bool { return r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) }
	switch {
	case glob == "":
		return errors.New("a pattern is empty: write ** for every name")
	case len(glob) > maxPattern:
		return fmt.Errorf("a pattern has %d bytes: write one of at most %d", len(glob), maxPattern)
	case strings.ContainsFunc(glob, strange):
		return fmt.Errorf("%q has white space or control characters: write it without", glob)
	case strings.ContainsAny(glob, `[](){}?^$|+\`):
		return fmt.Errorf("%q is not a pattern: only * and ** are special, there are no regular expressions", glob)
	}
	return nil
}

// String returns the pattern as it was typed.
func (p Pattern) String() string { return p.glob }

// literal is what every name that the pattern matches begins with, unless it is
// matched by its exact form.
func (p Pattern) literal() string {
	before, _, _ := strings.Cut(p.glob, "*")
	return before
}

// matches says whether a form of a name matches.
func (p Pattern) matches(form string) bool {
	if p.exact == form && form != "" {
		return true
	}
	if !strings.HasPrefix(form, p.literal()) {
		return false
	}
	if len(p.parts) == 1 && p.parts[0] != anyParts {
		return matchPart(p.glob, form) // also text with slashes, which it does not match
	}
	return matchParts(p.parts, strings.Split(form, "/"), matchPart)
}

// covers says that whatever the other pattern matches this one does, too. It may
// be true although this is false.
func (p Pattern) covers(other Pattern) bool {
	fits := func(part, text string) bool { return text != anyParts && matchPart(part, text) }
	return matchParts(p.parts, other.parts, fits) && (other.exact == "" || matchParts(p.parts, strings.Split(other.exact, "/"), fits))
}

// matchParts matches a list of parts: where a part does not fit, the last **
// before it takes one part more.
func matchParts(parts, texts []string, fits func(part, text string) bool) bool {
	p, t, back, from := 0, 0, -1, 0
	for t < len(texts) {
		switch {
		case p < len(parts) && parts[p] == anyParts:
			back, from = p, t
			if p++; p == len(parts) { // at the end it has at least one part
				return true
			}
		case p < len(parts) && fits(parts[p], texts[t]):
			p, t = p+1, t+1
		case back >= 0:
			from++
			p, t = back+1, from
		default:
			return false
		}
	}
	return p == len(parts)
}

// matchPart matches text that has no slash: where it does not fit, the last *
// before it takes one byte more.
func matchPart(glob, text string) bool {
	g, t, back, from := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case g < len(glob) && glob[g] == '*':
			back, from = g, t
			g++
		case g < len(glob) && glob[g] == text[t]:
			g, t = g+1, t+1
		case back >= 0 && text[from] != '/':
			from++
			g, t = back+1, from
		default:
			return false
		}
	}
	return strings.Trim(glob[g:], "*") == ""
}

// anyMatches says whether one of the patterns matches; with none everything does.
func anyMatches(patterns []Pattern, text string) bool {
	for _, p := range patterns {
		if p.matches(text) {
			return true
		}
	}
	return len(patterns) == 0
}
