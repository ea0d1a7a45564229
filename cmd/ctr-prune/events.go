package main

import (
	"slices"
	"sync"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// The lines of --format jsonl. Each has the fields of an entry of the
// document's list of the same name, and a type.
type (
	imageEvent struct {
		Type string `json:"type"`
		prune.ImageDocument
	}
	recordEvent struct {
		Type string `json:"type"`
		prune.Record
	}
	deletedEvent struct {
		Type string `json:"type"`
		prune.DeletedDocument
	}
	heldEvent struct {
		Type string `json:"type"`
		prune.Held
	}
	skippedEvent struct {
		Type string `json:"type"`
		prune.Skip
	}
	restoredEvent struct {
		Type string `json:"type"`
		prune.Restored
	}
	recoveredEvent struct {
		Type string `json:"type"`
		prune.Recovered
	}
	uploadEvent struct {
		Type string `json:"type"`
		prune.Upload
	}
	elsewhereEvent struct {
		Type string `json:"type"`
		prune.NamespaceCount
	}
	missingEvent struct {
		Type      string `json:"type"`
		Namespace string `json:"namespace"`
		prune.Cause
	}
	refusedEvent struct {
		Type string `json:"type"`
		prune.Refusal
	}
	causeEvent struct {
		Type string `json:"type"`
		prune.Cause
	}
	textEvent struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	}
)

// summaryEvent is the last line: the document without its lists.
type summaryEvent struct {
	Type          string               `json:"type"`
	SchemaVersion int                  `json:"schemaVersion"`
	Kind          string               `json:"kind"`
	Time          time.Time            `json:"time"`
	Store         prune.StoreInfo      `json:"store"`
	Policy        prune.PolicyDocument `json:"policy"`
	Counts        prune.Counts         `json:"counts"`
	Predicted     prune.Amount         `json:"predicted"`
	RestBytes     int64                `json:"restBytes"`
	Reclaimed     prune.Amount         `json:"reclaimed"`
	Garbage       prune.Amount         `json:"garbage"`
	Others        prune.Amount         `json:"others"`
	Grace         *prune.Grace         `json:"grace"`
	Relief        *prune.Relief        `json:"relief"`
	Stall         float64              `json:"stall"`
	Interrupted   bool                 `json:"interrupted"`
	Untried       int                  `json:"untried"`
	Measured      bool                 `json:"measured"`
	Verified      bool                 `json:"verified"`
}

// events splits a document into lines.
func events(d prune.Document) []any {
	var all []any
	all = appendEvents(all, d.Recovered, func(r prune.Recovered) any { return recoveredEvent{"recovered", r} })
	all = appendEvents(all, d.Unfinished, func(s string) any { return textEvent{"unfinished", s} })
	all = appendEvents(all, d.Images, func(i prune.ImageDocument) any { return imageEvent{"image", i} })
	all = appendEvents(all, d.Uploads, func(u prune.Upload) any { return uploadEvent{"upload", u} })
	all = appendEvents(all, d.Dropped, func(s prune.Skip) any { return skippedEvent{"dropped", s} })
	all = appendEvents(all, d.Skipped, func(s prune.Skip) any { return skippedEvent{"skipped", s} })
	all = appendEvents(all, d.Untagged, func(r prune.Record) any { return recordEvent{"untagged", r} })
	all = appendEvents(all, d.Restored, func(r prune.Restored) any { return restoredEvent{"restored", r} })
	all = appendEvents(all, d.Deleted, func(x prune.DeletedDocument) any { return deletedEvent{"deleted", x} })
	all = appendEvents(all, d.Aborted, func(u prune.Upload) any { return uploadEvent{"aborted", u} })
	all = appendEvents(all, d.Held, func(h prune.Held) any { return heldEvent{"held", h} })
	all = appendEvents(all, d.Changes, func(c prune.Cause) any { return causeEvent{"change", c} })
	all = appendEvents(all, d.Notes, func(c prune.Cause) any { return causeEvent{"note", c} })
	all = appendEvents(all, d.Refused, func(r prune.Refusal) any { return refusedEvent{"refused", r} })
	all = appendEvents(all, d.Elsewhere, func(n prune.NamespaceCount) any { return elsewhereEvent{"elsewhere", n} })
	all = appendEvents(all, d.Errors, func(c prune.Cause) any { return causeEvent{"error", c} })
	return append(all, summaryEvent{
		Type: "summary", SchemaVersion: d.SchemaVersion, Kind: d.Kind, Time: d.Time, Store: d.Store, Policy: d.Policy,
		Counts: d.Counts, Predicted: d.Predicted, RestBytes: d.RestBytes, Reclaimed: d.Reclaimed, Garbage: d.Garbage, Others: d.Others,
		Grace: d.Grace, Relief: d.Relief, Stall: d.Stall, Interrupted: d.Interrupted, Untried: d.Untried, Measured: d.Measured, Verified: d.Verified,
	})
}

func appendEvents[T any](all []any, items []T, event func(T) any) []any {
	for _, item := range items {
		all = append(all, event(item))
	}
	return all
}

// liveLines are the lines of --format jsonl that are written during a run; the
// rest follows at the end. Nil has written nothing.
type liveLines struct {
	out *terminal.Printer

	mu    sync.Mutex
	stage prune.Stage
	begun bool
	// untagged are the records that were reported already.
	untagged map[[2]string]bool
	err      error
}

// stageEvent says that a part of the work has begun.
type stageEvent struct {
	Type  string      `json:"type"`
	Stage prune.Stage `json:"stage"`
}

// progress reports the begin of a stage.
func (v *liveLines) progress(p prune.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Stage != v.stage {
		v.stage = p.Stage
		v.tell(stageEvent{"stage", p.Stage})
	}
}

// begin reports what is going to be done.
func (v *liveLines) begin(plan prune.Document) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.begun, v.untagged = true, make(map[[2]string]bool)
	for _, image := range plan.Images {
		v.tell(imageEvent{"image", image})
	}
}

// happened reports what a run has just done.
func (v *liveLines) happened(e prune.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.untagged[[2]string{e.Untagged.Namespace, e.Untagged.Name}] = true
	v.tell(recordEvent{"untagged", e.Untagged})
}

// tell writes a line at once. The first error is kept.
func (v *liveLines) tell(event any) {
	err := format.Write(v.out, event, "")
	if err == nil {
		err = v.out.Flush()
	}
	v.err = firstError(v.err, err)
}

func (v *liveLines) failed() error {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.err
}

// rest leaves out the events that were written during the run.
func (v *liveLines) rest(all []any) []any {
	if v == nil {
		return all
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.DeleteFunc(all, v.told)
}

// told reports whether a line was written during the run.
func (v *liveLines) told(event any) bool {
	switch e := event.(type) {
	case imageEvent:
		return v.begun
	case recordEvent:
		return v.untagged[[2]string{e.Namespace, e.Name}]
	default:
		return false
	}
}
