package retention

import (
	// Digests in names can only be parsed if their algorithm is linked in.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// maxName is longer than any reference with its tag and digest.
const maxName = reference.RepositoryNameTotalLengthMax + 512

// name is what patterns see of the name of a record.
type name struct {
	// forms are the name as stored and, if it is a reference, its full and its
	// familiar form, each complete, without digest, and without tag and digest.
	forms []string
	tag   string
	// repository is where it is ranked, "" if it has none.
	repository string
	// typed says that a person gave the name; one that nobody would type matches
	// no pattern that begins with a single *.
	typed bool
}

// readName reads a stored name. One that is dangling, or an ID, is nothing but
// itself: as a reference it would be a repository that it is not.
func readName(stored string, nameless bool) name {
	plain := name{forms: []string{stored}, repository: untagged(stored), typed: true}
	if nameless {
		return name{forms: []string{stored}}
	}
	if len(stored) > maxName {
		return plain
	}
	ref, err := reference.ParseAnyReference(stored)
	if err != nil {
		return plain
	}
	named, ok := ref.(reference.Named)
	if !ok { // an ID
		return name{forms: []string{stored}}
	}
	n := name{repository: named.Name()}
	n.forms = []string{stored, named.String(), named.Name(), reference.FamiliarString(named), reference.FamiliarName(named)}
	tagged, hasTag := named.(reference.Tagged)
	_, hasDigest := named.(reference.Digested)
	n.typed = hasTag || !hasDigest
	if hasTag {
		n.tag = tagged.Tag()
		for _, repository := range []string{named.Name(), reference.FamiliarName(named)} {
			n.forms = append(n.forms, repository+":"+n.tag)
		}
	}
	slices.Sort(n.forms)
	n.forms = slices.Compact(n.forms)
	return n
}

// nameless says that it is a dangling name or an ID.
func (n name) nameless() bool { return n.repository == "" }

// untagged is a name that is no reference without what looks like its tag or
// digest.
func untagged(stored string) string {
	short := stored
	if before, rest, ok := strings.Cut(stored, "@"); ok && digest.Digest(rest).Validate() == nil {
		short = before
	}
	if colon := strings.LastIndexByte(short, ':'); colon > strings.LastIndexByte(short, '/') {
		short = short[:colon]
	}
	if short == "" {
		return stored
	}
	return short
}
