package filters

import (
	// Digests in names can only be parsed if their algorithm is linked in.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// pattern is one reference filter: globs with commas between them, of which one
// has to match.
type pattern struct {
	typed string
	globs []glob
	not   bool // reference!=
}

// glob is one alternative of a pattern.
type glob struct {
	text string
	// exact is the full form of a glob that is a plain reference, so that
	// docker.io/nginx means docker.io/library/nginx; "" for all others.
	exact string
}

// parsePattern parses the part of a filter after reference= or reference!=.
func parsePattern(typed, text string, not bool) (pattern, error) {
	p := pattern{typed: text, not: not}
	for _, alternative := range alternatives(text) {
		if _, err := path.Match(alternative, ""); err != nil {
			return pattern{}, &Error{
				Option: optionFilter, What: quote(typed) + " is not a pattern",
				Instead: `close every [, and write \[ or \\ for a plain [ or \`,
			}
		}
		if strings.TrimSpace(alternative) != alternative || alternative == "" {
			return pattern{}, &Error{
				Option: optionFilter, What: quote(typed) + " has an alternative that is empty or has white space around it",
				Instead: "type reference=A,B, without spaces",
			}
		}
		g := glob{text: alternative}
		if named, err := reference.ParseNormalizedNamed(alternative); err == nil {
			g.exact = named.String()
		}
		p.globs = append(p.globs, g)
	}
	return p, nil
}

// alternatives splits a pattern at its commas, except for those in brackets and
// after a backslash.
func alternatives(text string) (all []string) {
	start, inside := 0, false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '[':
			inside = true
		case ']':
			inside = false
		case ',':
			if !inside {
				all, start = append(all, text[start:i]), i+1
			}
		}
	}
	return append(all, text[start:])
}

// String returns the filter as it is typed.
func (p pattern) String() string {
	if p.not {
		return keyReference + "!=" + p.typed
	}
	return keyReference + "=" + p.typed
}

// objection says why the filter keeps an image with these names; its code is
// empty if the filter does not. With reference!= one matching name is enough to
// keep the image. With reference= every name given by a person has to match, so
// that nobody loses a tag that was not selected; for an image without such
// names, any name may match.
func (p pattern) objection(names []string) Verdict {
	at := slices.IndexFunc(names, p.matches)
	switch {
	case p.not && at >= 0:
		return Verdict{Code: nameExcluded, Filter: p.String(), Name: names[at]}
	case p.not:
		return Verdict{}
	case at < 0:
		return Verdict{Code: nameNotMatched, Filter: p.String()}
	}
	other := slices.IndexFunc(names, func(name string) bool { return typed(name) && !p.matches(name) })
	if other >= 0 {
		return Verdict{Code: nameBeside, Filter: p.String(), Name: names[other]}
	}
	return Verdict{}
}

// typed reports whether a person gave this name: it is neither an ID nor a
// repository with only a digest, such as clients keep beside the tag.
func typed(name string) bool {
	if _, id := formsOf(name); id != "" {
		return false
	}
	_, rest, ok := strings.Cut(name, "@")
	if !ok || digest.Digest(rest).Validate() != nil {
		return true
	}
	ref, err := reference.ParseAnyReference(name)
	if err != nil {
		return false // <none>@sha256:…
	}
	_, tagged := ref.(reference.Tagged)
	return tagged
}

// matches applies the rules of distribution/reference ([path.Match] on the
// familiar reference, with and without tag and digest) to each form of a name.
//
// An ID (sha256:…, a name that CRI gives each image beside its real ones) is
// selected only by a pattern that begins with its algorithm; otherwise
// reference=* would select every image of a Kubernetes node. Any matching
// pattern protects it.
func (p pattern) matches(stored string) bool {
	forms, id := formsOf(stored)
	return slices.ContainsFunc(p.globs, func(g glob) bool {
		if id != "" && !p.not && !strings.HasPrefix(g.text, id) {
			return false
		}
		return slices.ContainsFunc(forms, func(form string) bool { return g.fits(form, p.not) })
	})
}

// fits says whether a form of a name matches.
func (g glob) fits(form string, not bool) bool {
	ok, err := path.Match(g.text, form)
	if err != nil {
		// Parse refuses such patterns; if one got here, it protects.
		return not
	}
	return ok || g.exact != "" && g.exact == form
}

// formsOf returns the forms of a name that a pattern may match: the name as
// stored and, if it is a reference, its full and its familiar form, each
// complete, without digest, and without tag and digest. If the name is an ID
// instead, id is its algorithm with the colon.
func formsOf(stored string) (forms []string, id string) {
	forms = []string{stored}
	ref, err := reference.ParseAnyReference(stored)
	if err != nil {
		return forms, ""
	}
	named, ok := ref.(reference.Named)
	if !ok {
		algorithm, _, _ := strings.Cut(ref.String(), ":")
		return append(forms, ref.String()), algorithm + ":"
	}
	forms = append(forms, named.String(), named.Name(), reference.FamiliarString(named), reference.FamiliarName(named))
	return append(forms, withoutDigest(named)...), ""
}

// withoutDigest returns the full and the familiar form of repo:tag@digest
// without the digest. For other references it returns nothing.
func withoutDigest(named reference.Named) []string {
	tagged, ok := named.(reference.Tagged)
	if !ok {
		return nil
	}
	short, err := reference.WithTag(reference.TrimNamed(named), tagged.Tag())
	if err != nil {
		return nil // the tag was just parsed; without this form there are still the others
	}
	return []string{short.String(), reference.FamiliarString(short)}
}
