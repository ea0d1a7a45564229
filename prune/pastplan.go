package prune

import (
	"context"
	"errors"
	"fmt"

	"github.com/ctr-prune/ctr-prune/leases"
)

// pastPlan is what an earlier run wrote down for one namespace, read back
// document by document.
type pastPlan struct {
	namespace string
	records   []planRecord
	orphans   []orphan
	// chunks are the documents that were read, by their numbers.
	chunks map[int]bool
	// last is the number of the document that says to be the last, -1 if none
	// did.
	last int
}

// add reads one document.
func (p *pastPlan) add(doc []byte) error {
	blob, err := parsePlanBlob(doc)
	if err != nil {
		return err
	}
	if p.chunks == nil {
		p.chunks, p.last = make(map[int]bool), -1
	}
	p.namespace = blob.Namespace
	p.records = append(p.records, blob.Records...)
	p.orphans = append(p.orphans, blob.Orphans...)
	p.chunks[blob.Chunk] = true
	if blob.Last {
		p.last = max(p.last, blob.Chunk)
	}
	return nil
}

// errMissingParts says that a plan is not all there although it once was.
var errMissingParts = errors.New("parts of what it wrote down are missing")

// missing returns an error if a document is missing among those that were
// read. The documents are written in order, so that one at the end may just
// not have been written before the run was killed.
func (p *pastPlan) missing() error {
	for i := range len(p.chunks) {
		if !p.chunks[i] {
			return errMissingParts
		}
	}
	return nil
}

// whole says whether all that the run wrote is known, as it is of a run that
// went on to delete something.
func (p *pastPlan) whole() bool {
	return p.missing() == nil && p.last == len(p.chunks)-1
}

// heldPlan reads what a killed run wrote down in the namespace of ctx. With a
// *[leases.LostPlan] comes what there still is.
func heldPlan(ctx context.Context, store Store) (pastPlan, error) {
	var p pastPlan
	err := leases.Held(ctx, store.Leases(), store.Content(), p.add)
	return p, err
}

// keptPlan reads what a run wrote down whose grace lasts. Of one whose files
// are gone, as after a power failure, it returns what there still is, which is
// not whole.
func keptPlan(ctx context.Context, store Store, ns, run string) (pastPlan, error) {
	var p pastPlan
	err := leases.Kept(inNamespace(ctx, ns), store.Leases(), store.Content(), run, p.add)
	if lost := (*leases.LostPlan)(nil); err != nil && !errors.As(err, &lost) {
		return pastPlan{}, fmt.Errorf("reading run %s in namespace %q: %w", run, ns, err)
	}
	return p, nil
}
