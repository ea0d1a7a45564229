package prune

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
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
	errTooLong = &CodeError{Code: codeTooLong, Err: errors.New("too long")}
	errTooMany = &CodeError{Code: codeTooMany, Err: errors.New("too many")}
)

// planWriter writes down a batch in documents of at most leases.MaxDoc bytes
// each, of which one is in memory at a time.
type planWriter struct {
	planHead
	Records []json.RawMessage `json:"records"`
	Orphans []json.RawMessage `json:"orphans,omitempty"`

	hold    func(doc []byte, targets []digest.Digest) error
	targets []digest.Digest
	// size is that of the lists so far, total that of all before.
	size, total int
}

// writePlan passes the documents of a batch to hold, in order; there is at
// least one, for its blob is also what makes containerd look at its content
// store when it collects. It returns those records that are written down by
// now; the others it passes to leave, with the reason.
func writePlan(run leases.Run, b batch, orphans []orphan, hold func(doc []byte, targets []digest.Digest) error, leave func(Decision, Cause)) ([]Decision, error) {
	w := &planWriter{
		planHead: planHead{Schema: planSchema, Run: run.Name, Started: run.Start, Namespace: b.ns.Name},
		hold:     hold,
	}
	for _, o := range orphans {
		if o.Namespace != b.ns.Name {
			continue
		}
		if err := w.add(&w.Orphans, o, ""); err != nil {
			return nil, fmt.Errorf("writing down config %s of namespace %q: %w", o.Config, b.ns.Name, err)
		}
	}
	var written []Decision
	left := make(map[digest.Digest]string)
	for _, d := range b.records {
		err := w.add(&w.Records, b.planRecord(d), d.Target.Digest)
		switch {
		case err == nil:
			written = append(written, d)
		case errors.Is(err, errTooLong) || errors.Is(err, errTooMany):
			leave(d, plainly(CodeOf(err)))
			left[d.Target.Digest] = d.Name
		default:
			return nil, fmt.Errorf("writing down image %q of namespace %q: %w", d.Name, b.ns.Name, err)
		}
	}
	if b.ns.Name == criNamespace {
		written = slices.DeleteFunc(written, func(d Decision) bool {
			name, stays := left[d.Target.Digest]
			if stays {
				leave(d, because(codeTogether, parts{Image: name}))
			}
			return stays
		})
	}
	w.Last = true
	return written, w.flush()
}

// add adds to one of the lists, in a new document if this one has no room.
func (w *planWriter) add(list *[]json.RawMessage, entry any, target digest.Digest) error {
	encoded, err := json.Marshal(entry)
	size := len(encoded) + 1
	switch {
	case err != nil:
		return err
	case size+maxHead > leases.MaxDoc:
		return errTooLong
	case w.total+w.size+size > maxPlan:
		return errTooMany
	}
	named := target == "" || slices.Contains(tail(w.targets), target)
	if w.size > 0 && w.size+size+maxHead > leases.MaxDoc || !named && len(w.targets) == leases.MaxTargets {
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
	w.Records, w.Orphans, w.targets, w.size = w.Records[:0], nil, nil, 0
	return nil
}

// tail is the part of a list that is searched for a repetition: the names of
// one image are often neighbours, and a second label for a target is harmless.
func tail(targets []digest.Digest) []digest.Digest {
	return targets[max(0, len(targets)-4):]
}
