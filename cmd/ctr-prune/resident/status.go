package resident

import (
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/flock"
)

// StatusSchema is the version of [Status]. Fields may be added without a new one.
const StatusSchema = 1

// Status is how a resident is, as JSON.
type Status struct {
	SchemaVersion int       `json:"schemaVersion"`
	Kind          string    `json:"kind"`
	Version       string    `json:"version"`
	Time          time.Time `json:"time"`
	Started       time.Time `json:"started"`
	// State is one word, Why a sentence about it.
	State      string           `json:"state"`
	Why        string           `json:"why"`
	DryRun     bool             `json:"dryRun"`
	Config     ConfigStatus     `json:"config"`
	Lock       LockStatus       `json:"lock"`
	Containerd ContainerdStatus `json:"containerd"`
	// LastLook is when the store was last read, or answered.
	LastLook time.Time `json:"lastLook,omitzero"`
	// NextRun is when the next scheduled run begins, none if it is zero.
	NextRun time.Time      `json:"nextRun,omitzero"`
	Disks   PressureStatus `json:"disks"`
	Use     UseStatus      `json:"use"`
	// Kubelet is null unless serve.kubeletCheck asks for it.
	Kubelet *KubeletStatus `json:"kubelet"`
	// Runs are the last ones, newest first.
	Runs []RunStatus `json:"runs"`
}

// ConfigStatus is which configuration is in use.
type ConfigStatus struct {
	File   string    `json:"file"`
	Loaded time.Time `json:"loaded"`
	// Error is what is wrong with the file; then an older one is in use.
	Error string `json:"error,omitempty"`
}

// LockStatus says whether this is the resident of the node.
type LockStatus struct {
	Held bool `json:"held"`
	// Without says that the work is done without the lock, because there can be
	// none.
	Without bool   `json:"without,omitempty"`
	Error   string `json:"error,omitempty"`
}

// UseStatus is what is known of when images are used.
type UseStatus struct {
	// Since is from when on it has been watched without a gap, Looked when the store
	// was last looked at for it.
	Since  time.Time `json:"since,omitzero"`
	Looked time.Time `json:"looked,omitzero"`
	// Error is what of it fails: then more is kept than the policy would, or it has to
	// be learned anew after a restart.
	Error string `json:"error,omitempty"`
}

// ContainerdStatus is what is known of containerd.
type ContainerdStatus struct {
	Up       bool      `json:"up"`
	Since    time.Time `json:"since,omitzero"`
	Location string    `json:"location,omitempty"`
	ID       string    `json:"id,omitempty"`
	Version  string    `json:"version,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// RunStatus is a run in short. ctr-prune history has its report.
type RunStatus struct {
	Run     string    `json:"run"`
	Trigger string    `json:"trigger"`
	Result  string    `json:"result"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	Removed int       `json:"removed"`
	Bytes   int64     `json:"bytes"`
	// Refused are the namespaces that were left alone, because who uses their images
	// could not be found out.
	Refused []RefusedStatus `json:"refused,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// RefusedStatus is why a namespace was left alone.
type RefusedStatus struct {
	Namespace string `json:"namespace"`
	Reason    string `json:"reason"`
}

// The states.
const (
	stateWaiting  = "waiting"
	stateDown     = "disconnected"
	stateWorking  = "working"
	stateIdle     = "idle"
	stateStopping = "stopping"
)

// lastRuns is how many runs the status has.
const lastRuns = 10

// facts are what the loop has found out.
type facts struct {
	state                   string // only set when the resident ends
	started, loaded, looked time.Time
	configError             string
	lockError               string
	containerd              ContainerdStatus
	runs                    []RunStatus
	kubelet                 *KubeletStatus
	// said is the last sentence about the state.
	said string
}

func (f *facts) begin(r *Resident) {
	f.started = r.o.Now()
	r.o.Log.Info("started", "version", r.o.Version, "config", r.o.File, "dryRun", r.o.DryRun)
}

func (f *facts) configured(now time.Time) { f.loaded, f.configError = now, "" }

// misconfigured is called each time that the file is read with the same result: it
// is told once.
func (f *facts) misconfigured(r *Resident, err error) {
	if text := err.Error(); text != f.configError {
		f.configError = text
		r.o.Log.Error("the configuration cannot be used, so that the one before stays in use", "file", r.o.File, "error", text)
	}
}

// lock notes whether the lock was taken; it is told once if not.
func (f *facts) lock(r *Resident, held *flock.HeldError, err error) {
	before := f.lockError
	f.lockError = ""
	switch {
	case held != nil:
		f.lockError = "another resident works on this node: " + held.Error()
	case err != nil:
		f.lockError = err.Error()
	}
	switch {
	case f.lockError == "" || f.lockError == before:
	case held != nil:
		r.o.Log.Warn("waiting until another resident ends", "reason", f.lockError)
	default:
		r.o.Log.Warn("working without the lock of the state folder: a killed run is then finished only when its lease expires", "error", f.lockError)
	}
}

// down notes that containerd does not answer, and tells of it once.
func (f *facts) down(r *Resident, err error) {
	first := f.containerd.Up || f.containerd.Since.IsZero()
	if first {
		f.containerd.Since = r.o.Now()
	}
	if text := err.Error(); first || text != f.containerd.Error {
		f.containerd.Error = text
		r.o.Log.Warn("containerd does not answer; it is tried again", "error", text)
	}
	f.containerd.Up = false
	r.o.Metrics.Up(false)
}

// up notes that the store was read just now.
func (f *facts) up(r *Resident) {
	f.looked = r.o.Now()
	if f.containerd.Up || r.conn == nil {
		return
	}
	info := r.conn.info
	f.containerd = ContainerdStatus{Up: true, Since: f.looked, Location: info.Location, ID: info.ID, Version: info.Version}
	r.o.Metrics.Up(true)
	r.o.Log.Info("containerd answers", "version", info.Version, "store", info.ID)
}

func (f *facts) ran(out *outcome) {
	run := RunStatus{Run: out.name, Trigger: out.trigger, Result: out.result, Started: out.started, Ended: out.ended}
	if out.doc != nil {
		run.Removed, run.Bytes = len(out.doc.Untagged), out.doc.Reclaimed.TotalBytes
		for _, refused := range out.doc.Refused {
			run.Refused = append(run.Refused, RefusedStatus{refused.Namespace, refused.Reason})
		}
	}
	if out.err != nil {
		run.Error = out.err.Error()
	}
	f.runs = slices.Insert(f.runs, 0, run)
	f.runs = f.runs[:min(len(f.runs), lastRuns)]
}

// sentence is about the state, for people.
func (f *facts) sentence() string { return f.said }

// snapshot is the status of this moment.
func (r *Resident) snapshot(now time.Time) *Status {
	f := &r.facts
	s := &Status{
		SchemaVersion: StatusSchema, Kind: "status", Version: r.o.Version, Time: now, Started: f.started, DryRun: r.o.DryRun,
		Config: ConfigStatus{r.o.File, f.loaded, f.configError}, Lock: LockStatus{r.lock != nil, r.unlocked, f.lockError},
		Containerd: f.containerd, LastLook: f.looked, NextRun: r.next(), Disks: r.disks.status(), Use: r.use(), Kubelet: f.kubelet, Runs: append([]RunStatus{}, f.runs...),
	}
	s.State, s.Why = r.state(s, now)
	f.said = s.Why
	return s
}

// use is what is known of when images are used.
func (r *Resident) use() UseStatus {
	return UseStatus{Since: r.watched(), Looked: r.recorder.Looked(), Error: r.unwatched.sentence()}
}

// next is when the next scheduled run begins.
func (r *Resident) next() time.Time {
	if !r.retryAt.IsZero() {
		return r.retryAt
	}
	return r.runAt
}

// state says what the resident does, and why it does nothing else.
func (r *Resident) state(s *Status, now time.Time) (word, why string) {
	switch {
	case r.facts.state != "" && r.job != nil:
		return r.facts.state, "ending, after " + r.job.what
	case r.facts.state != "":
		return r.facts.state, "ending"
	case r.job != nil && r.conn != nil:
		return stateWorking, r.job.what
	case s.Lock.Error != "" && !s.Lock.Without:
		return stateWaiting, s.Lock.Error
	case !s.Containerd.Up && s.Containerd.Error != "":
		return stateDown, "containerd does not answer: " + s.Containerd.Error
	case r.conn == nil || !s.Containerd.Up:
		return stateDown, "connecting to containerd"
	case r.disks.now != nil && r.disks.now.Full() && now.Before(r.disks.until):
		return stateIdle, "waiting until " + r.disks.until.UTC().Format(time.RFC3339) + ", because not enough could be freed: " + r.disks.short
	case r.disks.now != nil && r.disks.now.Full() && !r.disks.now.Critical && !r.conf.schedule.Open(now):
		return stateIdle, "waiting for a window, because a disk is full and not critical"
	case s.NextRun.IsZero():
		return stateIdle, "idle: no run is scheduled"
	default:
		return stateIdle, fmt.Sprintf("idle until the next run at %s", s.NextRun.UTC().Format(time.RFC3339))
	}
}
