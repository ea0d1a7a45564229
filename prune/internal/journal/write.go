package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
)

const (
	// maxHead is more than a plan's document takes besides its lists: the
	// names of the run and the namespace, and the time.
	maxHead = 4 << 10
	// maxPlan bounds what a run writes down in one namespace. As a document is
	// half full at least, or has as many targets as it may, that is some
	// thousand blobs at most.
	maxPlan = 1 << 30
)

// Reasons for which a record is not written down, and so not removed.
var (
	errTooLong = &cause.CodeError{Code: cause.CodeTooLong, Err: errors.New("too long")}
	errTooMany = &cause.CodeError{Code: cause.CodeTooMany, Err: errors.New("too many")}
)

// planWriter writes down a batch in documents of at most lock.MaxDoc bytes
// each, of which one is in memory at a time.
type planWriter struct {
	PlanHead
	Namespaces []json.RawMessage `json:"namespaces,omitempty"`
	Records    []json.RawMessage `json:"records"`
	Orphans    []json.RawMessage `json:"orphans,omitempty"`

	hold    func(doc []byte, targets []digest.Digest) error
	targets []digest.Digest
	// size is that of the lists so far, total that of all before.
	size, total int
}

// WritePlan passes what is written down of a run in a namespace to hold, document
// by document; there is at least one, because its blob is also what makes
// containerd look at its content store when it collects. Of those records that
// cannot be written down it returns the reasons, by their places in the list.
//
// namespaces are all that the run is about to remove something from.
func WritePlan(run lock.Run, ns string, namespaces []string, records []PlanRecord, orphans []gc.Orphan, hold func(doc []byte, targets []digest.Digest) error) (left map[int]error, err error) {
	w := &planWriter{
		PlanHead: PlanHead{Schema: PlanSchema, Run: run.Name, Started: run.Start, Namespace: ns},
		hold:     hold,
	}
	for _, name := range namespaces {
		if err := w.add(&w.Namespaces, name, ""); err != nil {
			return nil, fmt.Errorf("writing down namespace %q: %w", name, err)
		}
	}
	for _, o := range orphans {
		if o.Namespace != ns {
			continue
		}
		if err := w.add(&w.Orphans, o, ""); err != nil {
			return nil, fmt.Errorf("writing down config %s of namespace %q: %w", o.Config, ns, err)
		}
	}
	left = make(map[int]error)
	for i, r := range records {
		err := w.add(&w.Records, r, r.Target.Digest)
		switch {
		case errors.Is(err, errTooLong) || errors.Is(err, errTooMany):
			left[i] = err
		case err != nil:
			return nil, fmt.Errorf("writing down image %q of namespace %q: %w", r.Name, ns, err)
		}
	}
	w.Last = true
	return left, w.flush()
}

// add adds to one of the lists, in a new document if this one has no room.
func (w *planWriter) add(list *[]json.RawMessage, entry any, target digest.Digest) error {
	encoded, err := json.Marshal(entry)
	size := len(encoded) + 1
	switch {
	case err != nil:
		return err
	case size+maxHead > lock.MaxDoc:
		return errTooLong
	case w.total+w.size+size > maxPlan:
		return errTooMany
	}
	named := target == "" || slices.Contains(tail(w.targets), target)
	if w.size > 0 && w.size+size+maxHead > lock.MaxDoc || !named && len(w.targets) == lock.MaxTargets {
		if err := w.flush(); err != nil {
			return err
		}
		named = target == ""
	}
	*list = append(*list, encoded)
	w.size += size
	if !named {
		w.targets = append(w.targets, target)
	}
	return nil
}

// flush writes what was added as a document and begins the next.
func (w *planWriter) flush() error {
	if w.Records == nil {
		w.Records = []json.RawMessage{}
	}
	doc, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("encoding the plan for namespace %q: %w", w.Namespace, err)
	}
	if err := w.hold(doc, w.targets); err != nil {
		return err
	}
	w.Chunk++
	w.total += w.size
	w.Namespaces, w.Records, w.Orphans, w.targets, w.size = nil, w.Records[:0], nil, nil, 0
	return nil
}

// tail is the part of a list that is searched for a repetition: the names of
// one image are often neighbours, and a second label for a target is harmless.
func tail(targets []digest.Digest) []digest.Digest {
	return targets[max(0, len(targets)-4):]
}
