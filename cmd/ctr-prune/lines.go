package main

import (
	"sync"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// linesView shows one object a line, each with a type, the summary last. What
// happens during a run is shown when it does; the rest follows at the end.
type linesView struct {
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

// stagesOf is who is told of progress, nil if the view shows none.
func stagesOf(v view) func(prune.Progress) {
	lines, ok := v.(*linesView)
	if !ok {
		return nil
	}
	return lines.progress
}

// progress tells when a stage begins.
func (v *linesView) progress(p prune.Progress) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Stage != v.stage {
		v.stage = p.Stage
		v.tell(stageEvent{"stage", p.Stage})
	}
}

// begin tells what is going to be done.
func (v *linesView) begin(plan prune.Document) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.begun, v.untagged = true, make(map[[2]string]bool)
	for _, image := range plan.Images {
		v.tell(imageEvent{"image", image})
	}
}

// happened tells what a run has just done.
func (v *linesView) happened(e prune.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.untagged[[2]string{e.Untagged.Namespace, e.Untagged.Name}] = true
	v.tell(recordEvent{"untagged", e.Untagged})
}

// tell writes a line at once. The first error sticks and is returned by show.
func (v *linesView) tell(event any) {
	b, err := encodeJSON(event, "")
	if err == nil {
		v.out.Write(string(b))
		err = v.out.Flush()
	}
	v.err = firstError(v.err, err)
}

func (v *linesView) show(doc prune.Document) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, event := range events(doc) {
		if !v.told(event) {
			v.tell(event)
		}
	}
	return v.err
}

// told says whether a line was written while the run lasted.
func (v *linesView) told(event any) bool {
	switch e := event.(type) {
	case imageEvent:
		return v.begun
	case recordEvent:
		return v.untagged[[2]string{e.Namespace, e.Name}]
	default:
		return false
	}
}
