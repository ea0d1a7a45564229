package htmlreport

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// maxText is how many characters of a name or reason a page shows. No name
// that a registry accepts is longer; a hostile one would fill the page.
const maxText = 600

// visible returns text with everything that does not print written out, such as
// \x1b and \u202e: a page would hide it, or reverse the text beside it. Go's
// own escapes are used, as the command does on a terminal.
func visible(text string) string {
	if short, n := clip(text, maxText); n > 0 {
		return visible(short) + fmt.Sprintf("… (%d characters in all)", n)
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		i += size
	}
	return b.String()
}

// digestMark stands for the image's own digest in a name; visible leaves no
// control character that could be taken for it.
const digestMark = "\x01"

// compact is like visible, but replaces the digest of the name's own target,
// which the page shows beside it, with one character.
func compact(name string, target digest.Digest) string {
	if target == "" || len(name) > maxText {
		return visible(name)
	}
	return strings.ReplaceAll(visible(name), visible(target.String()), digestMark)
}

// clip returns the first limit characters of a longer text, and its length; 0
// if it is not longer.
func clip(text string, limit int) (string, int) {
	if len(text) <= limit {
		return text, 0
	}
	seen := 0
	for i := range text {
		if seen == limit {
			return text[:i], utf8.RuneCountInString(text)
		}
		seen++
	}
	return text, 0
}

// maxReference is longer than any name with its tag and digest.
const maxReference = reference.RepositoryNameTotalLengthMax + 512

// split returns the repository of a record's name in its familiar form, and
// what identifies the record in it: a tag, or the prefix of a digest.
func split(name string) (repository, rest string) {
	if len(name) <= maxReference && !strings.HasPrefix(name, "sha256:") {
		if ref, err := reference.ParseNormalizedNamed(name); err == nil {
			repository = reference.FamiliarName(ref)
			if tagged, ok := ref.(reference.Tagged); ok {
				return repository, tagged.Tag()
			}
			if digested, ok := ref.(reference.Digested); ok {
				return repository, short(digested.Digest().String())
			}
			return repository, ""
		}
	}
	// A name that is not a reference: dangling, an image ID, or any other text.
	before, after, found := strings.Cut(name, "@")
	switch {
	case found && before != "":
		return visible(before), short(after)
	case strings.HasPrefix(name, "sha256:"):
		return "image IDs", short(name)
	default:
		return visible(name), ""
	}
}

// short returns the prefix of a digest that docker prints.
func short(dgst string) string {
	_, hex, found := strings.Cut(dgst, ":")
	if !found {
		hex = dgst
	}
	if len(hex) > 12 {
		hex = hex[:12]
	}
	return visible(hex)
}

// best returns the name that is best known to people: preferably one with a
// tag, then one with a digest, then an ID.
func best(names []string) string {
	score := func(name string) int {
		switch {
		case strings.HasPrefix(name, "sha256:"):
			return 0
		case strings.Contains(name, "@"):
			return 1
		default:
			return 2
		}
	}
	chosen := ""
	for i, name := range names {
		if i == 0 || score(name) > score(chosen) {
			chosen = name
		}
	}
	return chosen
}
