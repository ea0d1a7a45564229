package filters

import (
	// Digests in names are only understood if their algorithm is linked in.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// pattern is one reference filter.
type pattern struct {
	glob string
	// exact is the full form of a glob that is a plain reference, so that
	// docker.io/nginx means docker.io/library/nginx; "" for all others.
	exact string
	not   bool // reference!=
}

// parsePattern parses the part of a filter after reference= or reference!=.
func parsePattern(typed, glob string, not bool) (pattern, error) {
	if _, err := path.Match(glob, ""); err != nil {
		return pattern{}, &Error{
			What:    "--filter " + quote(typed) + " is not a pattern",
			Instead: `close every [, and write \[ or \\ for a plain [ or \`,
		}
	}
	p := pattern{glob: glob, not: not}
	if named, err := reference.ParseNormalizedNamed(glob); err == nil {
		p.exact = named.String()
	}
	return p, nil
}

// String returns the filter as it is typed.
func (p pattern) String() string {
	if p.not {
		return keyReference + "!=" + p.glob
	}
	return keyReference + "=" + p.glob
}

// objection says why the filter keeps an image with these names, or "". One
// name decides: with reference= one that matches is enough to go, with
// reference!= one is enough to stay.
func (p pattern) objection(names []string) string {
	at := slices.IndexFunc(names, p.matches)
	switch {
	case p.not && at >= 0:
		return "filter " + show(p.String()) + ": it has the name " + show(names[at])
	case !p.not && at < 0:
		return "filter " + show(p.String()) + ": no name matches"
	}
	return ""
}

// matches applies the rules of distribution/reference ([path.Match] on the
// familiar reference, with and without tag and digest) to each form of a name.
//
// An ID (sha256:…, a name that CRI gives each image beside its real ones) is
// chosen only by a pattern that spells its algorithm: else reference=* would
// choose every image of a Kubernetes node. It is protected by any.
func (p pattern) matches(stored string) bool {
	forms, id := formsOf(stored)
	if id != "" && !p.not && !strings.HasPrefix(p.glob, id) {
		return false
	}
	return slices.ContainsFunc(forms, func(form string) bool {
		ok, err := path.Match(p.glob, form)
		if err != nil {
			// Parse refuses such patterns; one that got here protects.
			return p.not
		}
		return ok || p.exact != "" && p.exact == form
	})
}

// formsOf returns what a pattern may match a name by: the name as stored, and
// if it is a reference, its full and its familiar form, each whole, without
// digest, and without tag and digest. If the name is an ID instead, id is its
// algorithm with the colon.
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
