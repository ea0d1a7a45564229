package main

import (
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The lines of --format jsonl. Each has what the list of the same name in the
// document has, and a type.
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
	refusedEvent struct {
		Type string `json:"type"`
		prune.Refusal
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
	Reclaimed     prune.Amount         `json:"reclaimed"`
	Garbage       prune.Amount         `json:"garbage"`
	Others        prune.Amount         `json:"others"`
	Grace         *prune.Grace         `json:"grace"`
	Interrupted   bool                 `json:"interrupted"`
	Untried       int                  `json:"untried"`
	Measured      bool                 `json:"measured"`
	Verified      bool                 `json:"verified"`
}

// events takes a document apart.
func events(d prune.Document) []any {
	var all []any
	all = appendEvents(all, d.Recovered, func(r prune.Recovered) any { return recoveredEvent{"recovered", r} })
	all = appendEvents(all, d.Unfinished, func(s string) any { return textEvent{"unfinished", s} })
	all = appendEvents(all, d.Images, func(i prune.ImageDocument) any { return imageEvent{"image", i} })
	all = appendEvents(all, d.Uploads, func(u prune.Upload) any { return uploadEvent{"upload", u} })
	all = appendEvents(all, d.Dropped, func(s prune.Skip) any { return skippedEvent{"dropped", s} })
	all = appendEvents(all, d.Skipped, func(s prune.Skip) any { return skippedEvent{"skipped", s} })
	all = appendEvents(all, d.Removed, func(r prune.Record) any { return recordEvent{"untagged", r} })
	all = appendEvents(all, d.Restored, func(r prune.Restored) any { return restoredEvent{"restored", r} })
	all = appendEvents(all, d.Freed, func(x prune.DeletedDocument) any { return deletedEvent{"deleted", x} })
	all = appendEvents(all, d.Aborted, func(u prune.Upload) any { return uploadEvent{"aborted", u} })
	all = appendEvents(all, d.Held, func(h prune.Held) any { return heldEvent{"held", h} })
	all = appendEvents(all, d.Changes, func(s string) any { return textEvent{"change", s} })
	all = appendEvents(all, d.Notes, func(s string) any { return textEvent{"note", s} })
	all = appendEvents(all, d.Refused, func(r prune.Refusal) any { return refusedEvent{"refused", r} })
	all = appendEvents(all, d.Elsewhere, func(n prune.NamespaceCount) any { return elsewhereEvent{"elsewhere", n} })
	all = appendEvents(all, d.Errors, func(s string) any { return textEvent{"error", s} })
	return append(all, summaryEvent{
		Type: "summary", SchemaVersion: d.SchemaVersion, Kind: d.Kind, Time: d.Time, Store: d.Store, Policy: d.Policy,
		Counts: d.Counts, Predicted: d.Predicted, Reclaimed: d.Reclaimed, Garbage: d.Garbage, Others: d.Others,
		Grace: d.Grace, Interrupted: d.Interrupted, Untried: d.Untried, Measured: d.Measured, Verified: d.Verified,
	})
}

func appendEvents[T any](all []any, items []T, event func(T) any) []any {
	for _, item := range items {
		all = append(all, event(item))
	}
	return all
}
