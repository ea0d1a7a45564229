package read

import "sync/atomic"

// Stage is a part of the flow that may take a long time.
type Stage string

// The stages, in order.
const (
	StageRead    Stage = "reading"
	StageDelete  Stage = "deleting"
	StageCollect Stage = "collecting"
	StageMeasure Stage = "measuring"
	// StageRestore is that of an undo.
	StageRestore Stage = "restoring"
	// StageVerify is that of a check which reads all blobs.
	StageVerify Stage = "verifying"
)

// Progress is how far a stage has got.
type Progress struct {
	Stage Stage
	// Done counts objects: things read, records deleted.
	Done int
	// Total is zero where it is not known.
	Total int
}

// Meter counts for one stage and tells the caller. Safe for concurrent use;
// the callback may be called from several goroutines.
type Meter struct {
	tell  func(Progress)
	stage Stage
	Total int
	done  atomic.Int64
}

// NewMeter counts for a stage; tell may be nil.
func NewMeter(tell func(Progress), stage Stage) *Meter { return &Meter{tell: tell, stage: stage} }

// Add counts so many objects more.
func (m *Meter) Add(n int) {
	if done := m.done.Add(int64(n)); m.tell != nil {
		m.tell(Progress{Stage: m.stage, Done: int(done), Total: m.Total})
	}
}
