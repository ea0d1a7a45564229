package prune

import "sync/atomic"

// Stage is a part of the flow that may take long.
type Stage string

// The stages, in order.
const (
	StageRead    Stage = "reading"
	StageDelete  Stage = "deleting"
	StageCollect Stage = "collecting"
	StageMeasure Stage = "measuring"
)

// Progress says how far a stage has come.
type Progress struct {
	Stage Stage
	// Done counts objects: things read, records deleted.
	Done int
	// Total is zero where it is not known.
	Total int
}

// Event is something that a run has just done. The report tells later
// whether it is still so.
type Event struct {
	// Untagged is the record that was deleted.
	Untagged Record
}

// meter counts for one stage and tells the caller. Safe for concurrent use;
// the callback may be called from several goroutines.
type meter struct {
	tell  func(Progress)
	stage Stage
	total int
	done  atomic.Int64
}

func newMeter(tell func(Progress), stage Stage) *meter { return &meter{tell: tell, stage: stage} }

func (m *meter) add(n int) {
	if done := m.done.Add(int64(n)); m.tell != nil {
		m.tell(Progress{Stage: m.stage, Done: int(done), Total: m.total})
	}
}
