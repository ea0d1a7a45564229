package leases

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

const (
	// MaxPart is the most bytes of a blob that is written, or read, as a plan
	// or a part of one: no more than of any other document in a store.
	MaxPart = 4 << 20
	// MaxParts is in how many parts one document may be cut.
	MaxParts = 32
	// maxHead is longer than the line that a part begins with.
	maxHead = 128
	// MaxDoc is the longest document that [Hold] writes.
	MaxDoc = MaxParts * (MaxPart - maxHead)
)

// part says which part of a document a blob is.
type part struct {
	// doc is the digest of the whole document.
	doc digest.Digest
	// at counts from 0, of is how many there are.
	at, of int
}

// head is what a part is labelled with, and what it begins with: parts with
// the same bytes are blobs of their own all the same.
func (p part) head() string { return fmt.Sprintf("%s %d %d", p.doc, p.at, p.of) }

// parsePart reads a head. Only what head writes is one.
func parsePart(head string) (part, error) {
	fields := strings.Split(head, " ")
	if len(fields) != 3 {
		return part{}, fmt.Errorf("%.200q does not say which part of a plan it is", head)
	}
	at, atErr := strconv.Atoi(fields[1])
	of, ofErr := strconv.Atoi(fields[2])
	p := part{doc: digest.Digest(fields[0]), at: at, of: of}
	if err := errors.Join(atErr, ofErr, p.doc.Validate()); err != nil {
		return part{}, fmt.Errorf("%.200q does not say which part of a plan it is: %w", head, err)
	}
	if p.head() != head || at < 0 || at >= of || of > MaxParts || p.doc.Algorithm() != digest.Canonical {
		return part{}, fmt.Errorf("%.200q does not say which part of a plan it is", head)
	}
	return p, nil
}

// cut parts a document that is longer than one blob may be. Each blob is made
// when it is asked for.
func cut(doc []byte, most int) (parts []part, blob func(part) []byte) {
	size := most - maxHead
	of := (len(doc) + size - 1) / size
	dgst := digest.FromBytes(doc)
	for at := range of {
		parts = append(parts, part{doc: dgst, at: at, of: of})
	}
	return parts, func(p part) []byte {
		return append([]byte(p.head()+"\n"), doc[p.at*size:min((p.at+1)*size, len(doc))]...)
	}
}

// join puts a document together again, of all its parts in order. What read
// returns is not kept.
func join(parts []part, read func(part) ([]byte, error)) ([]byte, error) {
	var doc []byte
	for _, p := range parts {
		blob, err := read(p)
		if err != nil {
			return nil, err
		}
		rest, ok := bytes.CutPrefix(blob, []byte(p.head()+"\n"))
		if !ok {
			return nil, fmt.Errorf("part %d of the plan %s does not begin as one", p.at, p.doc)
		}
		doc = append(doc, rest...)
	}
	if len(parts) == 0 || digest.FromBytes(doc) != parts[0].doc {
		return nil, errors.New("the parts of a plan do not make the plan")
	}
	return doc, nil
}
