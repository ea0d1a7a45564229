package main

import (
	"slices"
	"sync"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// liveLines are the lines of --format jsonl that tell what happens during a run
// when it does; the rest follows at the end. Nil has told nothing.
type liveLines struct {
	out *terminal.Printer

	mu    sync.Mutex
	stage prune.Stage
	begun bool
	// untagged are the records that were told of already.
	untagged map[[2]string]bool
	err      error
}

// stageEvent says that a part of the work has begun.
type stageEvent struct {
	Type  string      `json:"type"`
	Stage prune.Stage `json:"stage"`
}

// progress tells when a stage begins.
func (v *liveLines) progress(p prune.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Stage != v.stage {
		v.stage = p.Stage
		v.tell(stageEvent{"stage", p.Stage})
	}
}

// begin tells what is going to be done.
func (v *liveLines) begin(plan prune.Document) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.begun, v.untagged = true, make(map[[2]string]bool)
	for _, image := range plan.Images {
		v.tell(imageEvent{"image", image})
	}
}

// happened tells what a run has just done.
func (v *liveLines) happened(e prune.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.untagged[[2]string{e.Untagged.Namespace, e.Untagged.Name}] = true
	v.tell(recordEvent{"untagged", e.Untagged})
}

// tell writes a line at once. The first error sticks.
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

// rest leaves out the events that were told while the run lasted.
func (v *liveLines) rest(all []any) []any {
	if v == nil {
		return all
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.DeleteFunc(all, v.told)
}

// told says whether a line was written while the run lasted.
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
