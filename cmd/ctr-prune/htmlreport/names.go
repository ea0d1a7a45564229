package htmlreport

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
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

// parts are where people look for a name. Not every name has all.
type parts struct {
	registry, organisation, repository string
	// rest is what identifies the record there: a tag, or the prefix of a digest.
	rest string
}

// untagged is where images are that have no name to call them by.
const untagged = "untagged"

// split takes a record's name apart.
func (b *builder) split(name string) parts {
	before, after, digested := strings.Cut(name, "@")
	switch {
	case strings.HasPrefix(name, "sha256:"):
		return parts{repository: untagged, rest: short(name)}
	case digested && b.dangling(before):
		return parts{repository: untagged, rest: short(after)}
	}
	if len(name) <= maxReference {
		if ref, err := reference.ParseNormalizedNamed(name); err == nil {
			return splitReference(ref)
		}
	}
	// A name that is not a reference: any other text.
	if digested && before != "" {
		return parts{repository: visible(before), rest: short(after)}
	}
	return parts{repository: visible(name)}
}

func splitReference(ref reference.Named) parts {
	p := parts{registry: reference.Domain(ref), repository: reference.Path(ref)}
	if organisation, repository, found := strings.Cut(p.repository, "/"); found {
		p.organisation, p.repository = organisation, repository
	}
	if tagged, ok := ref.(reference.Tagged); ok {
		p.rest = tagged.Tag()
	} else if digested, ok := ref.(reference.Digested); ok {
		p.rest = short(digested.Digest().String())
	}
	return p
}

// dangling says that nobody gave an image the name that stands before its digest.
func (b *builder) dangling(before string) bool {
	var store prune.StoreInfo
	var prefixes []string
	if d := b.page.Document; d != nil {
		store, prefixes = d.Store, d.Policy.DanglingPrefixes
	} else if u := b.page.Usage; u != nil {
		store = u.Store
	}
	return slices.Contains([]string{"", "<none>", "import", "moby-dangling"}, before) ||
		slices.Contains(store.Snapshotters, before) || slices.Contains(prefixes, before)
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
