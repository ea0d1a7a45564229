package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// PastPlan is what an earlier run wrote down for one namespace, read back
// document by document.
type PastPlan struct {
	Namespace string
	// Namespaces are all from which the run was about to remove something.
	Namespaces []string
	Records    []PlanRecord
	Orphans    []gc.Orphan
	// chunks are the documents that were read, by their numbers.
	chunks map[int]bool
	// last is the number of the document that says to be the last, -1 if none
	// did.
	last int
}

// Add reads one document.
func (p *PastPlan) Add(doc []byte) error {
	blob, err := ParsePlanBlob(doc)
	if err != nil {
		return err
	}
	if p.chunks == nil {
		p.chunks, p.last = make(map[int]bool), -1
	}
	p.Namespace = blob.Namespace
	p.Namespaces = append(p.Namespaces, blob.Namespaces...)
	p.Records = append(p.Records, blob.Records...)
	p.Orphans = append(p.Orphans, blob.Orphans...)
	p.chunks[blob.Chunk] = true
	if blob.Last {
		p.last = max(p.last, blob.Chunk)
	}
	return nil
}

// ErrMissingParts says that a plan is not all there although it once was.
var ErrMissingParts = errors.New("parts of its plan blobs are missing")

// Missing returns an error if a document is missing among those that were
// read. The documents are written in order, so that one at the end may just
// not have been written before the run was killed.
func (p *PastPlan) Missing() error {
	for i := range len(p.chunks) {
		if !p.chunks[i] {
			return ErrMissingParts
		}
	}
	return nil
}

// Whole says whether all that the run wrote is known, as it is of a run that
// went on to delete something.
func (p *PastPlan) Whole() bool {
	return p.Missing() == nil && p.last == len(p.chunks)-1
}

// HeldPlan reads what a killed run wrote down in the namespace of ctx. With a
// *[lock.LostPlan] comes what there still is.
func HeldPlan(ctx context.Context, store store.Store) (PastPlan, error) {
	var p PastPlan
	err := lock.Held(ctx, store.Leases(), store.Content(), p.Add)
	return p, err
}

// KeptPlan reads what a run wrote down whose grace lasts. Of one whose files
// are gone, as after a power failure, it returns what there still is, which is
// not whole.
func KeptPlan(ctx context.Context, st store.Store, ns, run string) (PastPlan, error) {
	var p PastPlan
	err := lock.Kept(store.InNamespace(ctx, ns), st.Leases(), st.Content(), run, p.Add)
	if lost := (*lock.LostPlan)(nil); err != nil && !errors.As(err, &lost) {
		return PastPlan{}, fmt.Errorf("reading run %s in namespace %q: %w", run, ns, err)
	}
	return p, nil
}
