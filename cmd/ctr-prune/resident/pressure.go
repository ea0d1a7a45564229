package resident

import (
	"context"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/metrics"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/rounds"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	// checkEvery is how often disks are looked at, unless the configuration says it.
	checkEvery = 10 * time.Second
	// What could not be freed is tried again after a time that doubles, and before
	// that, though not at once, if something happened that may help.
	shortMin, shortMax = 5 * time.Minute, time.Hour
	shortLeast         = time.Minute
	// growth is by how many percent a disk has to fill up to be tried again.
	growth = 2
)

// disks is what is known of the file systems of the store.
type disks struct {
	// now is the last look, nil if there was none.
	now *prune.Pressure
	// pressed are the file systems that are too full, by name: from the high mark on
	// until below the low one.
	pressed map[string]bool
	// limits says that it has to be found out whether the store has too much, which
	// only a plan does.
	limits bool
	// short is what is missing after the last run under pressure, "" if nothing is;
	// used is how full the disks were then.
	short  string
	failed time.Time
	until  time.Time
	wait   backoff
	used   map[string]int
}

// watched says whether the configuration has marks of disks.
func (c *config) watched() bool {
	marks := c.Disk
	marks.Check.Length, marks.Check.Typed = 0, ""
	var none prune.DiskMarks
	return marks != none
}

func (c *config) checkEvery() time.Duration {
	if c.Disk.Check.Length > 0 {
		return c.Disk.Check.Length
	}
	return checkEvery
}

// check looks at the disks.
func (r *Resident) check(ctx context.Context) {
	conn, marks := r.conn, r.conf.Disk
	r.diskAt = r.o.Now().Add(r.conf.checkEvery())
	r.do(ctx, "looking at the disks", func(asking context.Context) func() {
		asking, cancel := context.WithTimeout(asking, answerTime)
		defer cancel()
		p, err := r.o.Disks(asking, conn.store, marks)
		return func() { r.checked(ctx, p, err) }
	})
}

func (r *Resident) checked(ctx context.Context, p *prune.Pressure, err error) {
	switch {
	case err == nil:
		r.disks.seen(p, r.conf.Disk)
		r.o.Metrics.Disks(r.disks.metrics(r.conf.Disk))
	case ctx.Err() != nil:
	case silent(err):
		r.lost(err)
	default:
		r.o.Log.Error("the disks cannot be looked at", "error", err)
	}
}

// seen takes over a look. A disk that fills up further is tried again.
func (d *disks) seen(p *prune.Pressure, marks prune.DiskMarks) {
	before := d.pressed
	d.now, d.pressed = p, make(map[string]bool)
	for _, f := range p.FileSystems {
		over := f.NeedBytes > 0 || f.NeedInodes > 0
		space, inodes := marks.Both(), marks.Inodes.Both()
		above := space.Low > 0 && f.UsedPercent() > space.Low || inodes.Low > 0 && f.UsedInodesPercent() > inodes.Low
		d.pressed[f.String()] = over || before[f.String()] && above
		if was, known := d.used[f.String()]; known && f.UsedPercent() >= was+growth {
			d.until = time.Time{}
		}
	}
}

// pressing says whether a run has to free something now. Only what is critical does
// not wait for a window.
func (r *Resident) pressing(now time.Time) bool {
	d := &r.disks
	if !r.conf.watched() || d.now == nil || !d.now.Full() && !(d.limits && d.now.Asks()) || now.Before(d.until) {
		return false
	}
	return d.now.Critical || r.conf.schedule.Open(now)
}

// helped is called when something happened after which more may be freed.
func (r *Resident) helped() {
	d := &r.disks
	d.limits = true
	if soon := d.failed.Add(shortLeast); d.until.After(soon) {
		d.until = soon
	}
}

// relieve carries out a plan that was made for what has to be freed.
func (o *outcome) relieve(ctx context.Context, plan *prune.Plan, opts prune.ExecuteOptions) {
	relieved, err := prune.Relieve(ctx, o.conn.store, plan, opts)
	var doc *prune.Document
	if len(relieved.Reports) > 0 {
		whole := rounds.Document(plan, relieved)
		doc, o.rounds = &whole, rounds.Summarise(relieved)
	}
	o.executed(plan, doc, err)
	o.reached = relieved.Reached
	if relieved.Shortfall != nil {
		o.short = relieved.Shortfall.Reason
	}
}

// relieved takes over what came of a run under pressure. If it was not enough, it is
// waited before the next one.
func (r *Resident) relieved(out *outcome, now time.Time) {
	d := &r.disks
	d.limits = false
	r.diskAt = now
	if out.reached && !out.dry {
		d.short, d.used, d.until = "", nil, time.Time{}
		d.wait.reset()
		return
	}
	d.failed, d.until = now, now.Add(shortLeast)
	if out.result != resultBusy {
		d.until = now.Add(d.wait.wait())
	}
	d.used = make(map[string]int)
	if d.now != nil {
		for _, f := range d.now.FileSystems {
			d.used[f.String()] = f.UsedPercent()
		}
	}
	if d.short = out.short; d.short == "" && out.err != nil {
		d.short = strings.ReplaceAll(out.err.Error(), "\n", "; ") // which the run has told
	}
	if out.short != "" {
		r.o.Log.Warn("not enough could be freed", "run", out.name, "reason", d.short, "again", d.until.UTC().Format(time.RFC3339))
	}
}

// metrics are the file systems that are seen.
func (d *disks) metrics(marks prune.DiskMarks) []metrics.Disk {
	var all []metrics.Disk
	space, inodes := marks.Both(), marks.Inodes.Both()
	parts := map[string]float64{}
	for name, percent := range map[string]int{"high": space.High, "low": space.Low, "critical": marks.Critical, "inodes-high": inodes.High, "inodes-low": inodes.Low} {
		if percent > 0 {
			parts[name] = float64(percent) / 100
		}
	}
	for _, f := range d.now.FileSystems {
		if f.Unseen != "" {
			continue
		}
		all = append(all, metrics.Disk{
			FS: f.String(), Capacity: uint64(f.CapacityBytes), Available: uint64(f.AvailableBytes), Inodes: uint64(f.Inodes), InodesFree: uint64(f.FreeInodes),
			Marks: parts, Pressure: d.pressed[f.String()], Unreached: d.short != "" && d.pressed[f.String()],
		})
	}
	return all
}

// DiskStatus is a file system of the store.
type DiskStatus struct {
	prune.FileSystem
	UsedPercent int  `json:"usedPercent"`
	Pressure    bool `json:"pressure"`
}

// PressureStatus is what is known of the disks.
type PressureStatus struct {
	FileSystems []DiskStatus `json:"fileSystems"`
	Critical    bool         `json:"critical"`
	// Short is what is missing after the last run under pressure, with who holds
	// what is left; Again is when it is tried next.
	Short string    `json:"short,omitempty"`
	Again time.Time `json:"again,omitzero"`
}

func (d *disks) status() PressureStatus {
	s := PressureStatus{FileSystems: []DiskStatus{}, Short: d.short}
	if d.short != "" {
		s.Again = d.until
	}
	if d.now != nil {
		s.Critical = d.now.Critical
		for _, f := range d.now.FileSystems {
			s.FileSystems = append(s.FileSystems, DiskStatus{f, f.UsedPercent(), d.pressed[f.String()]})
		}
	}
	return s
}
