package relieve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

const (
	// mostRounds bounds how often it is planned anew.
	mostRounds = 3
	// settling is how late a disk may give back what was removed: file systems free
	// blocks in the background.
	settling = 10 * time.Second
	// lookAgain is how often a disk is looked at meanwhile.
	lookAgain = 100 * time.Millisecond
)

// Relieved is what came of the rounds.
type Relieved struct {
	// Reports are those of the runs, one of each round.
	Reports []*run.Report
	// Dropped is what ending the graces of earlier runs gave back.
	Dropped inventory.Amount
	// FileSystems are as they are in the end, each with what is still missing.
	FileSystems []filesystem.FileSystem
	// Reached says that all that had to be freed was. If not, Shortfall says what is
	// missing, and who holds what is left.
	Reached   bool
	Shortfall *cause.Cause
}

// rounds are some rounds under way.
type rounds struct {
	store  store.Store
	opts   run.ExecuteOptions
	looker filesystem.Looker
	wait   func(context.Context, time.Duration)
	result *Relieved
}

// Relieve executes a plan that was made for a pressure, and looks at the disks then,
// for ten seconds, because they may give back late. If they have not given back
// enough although the plan was to, it plans anew for what is missing, three rounds at
// most. The error is that of the last run; what is missing is none.
func Relieve(ctx context.Context, st store.Store, p *plan.Plan, opts run.ExecuteOptions) (*Relieved, error) {
	r := &rounds{store: st, opts: opts, wait: pause, result: &Relieved{}}
	return r.result, r.run(ctx, p)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (r *rounds) run(ctx context.Context, p *plan.Plan) error {
	if p.Relief == nil {
		return errors.New("the plan was not made for what has to be freed")
	}
	var err error
	for round := 1; ; round++ {
		if p, err = r.end(ctx, p); err != nil {
			return err
		}
		left, more, err := r.once(ctx, p)
		if left == nil {
			return err
		}
		if err != nil || !more || round == mostRounds {
			r.result.Shortfall = shortfall(p, left, r.result.Reached)
			return err
		}
		next, err := r.again(ctx, p, left)
		if err != nil || next.Empty() {
			r.result.Shortfall = shortfall(p, left, false)
			return err
		}
		p = next
	}
}

// once executes a plan and looks at the disks. It says what is left to be freed, and
// whether another plan may help: if this one was to free enough and has not.
func (r *rounds) once(ctx context.Context, p *plan.Plan) (left *filesystem.Pressure, more bool, err error) {
	report, err := run.Execute(ctx, p, r.store, r.opts)
	if report == nil {
		return nil, false, err
	}
	r.result.Reports = append(r.result.Reports, report)
	left, lookErr := r.settle(ctx, p, report.Reclaimed.TotalBytes+report.Garbage.TotalBytes)
	if lookErr != nil {
		return nil, false, errors.Join(err, lookErr)
	}
	r.result.FileSystems = left.FileSystems
	asPlanned := len(report.Skipped)+len(report.Restored)+len(report.Errors) == 0 && !report.Interrupted && p.Relief.Reached
	r.result.Reached = !left.Full() && (asPlanned || onlySeen(p))
	return left, p.Relief.Reached && !r.result.Reached && !report.Interrupted, err
}

// onlySeen says whether all that has to be freed is seen on the disks.
func onlySeen(p *plan.Plan) bool {
	asked := p.Policy.Pressure
	return asked.MaxUsed == 0 && p.Relief.FreesImages >= p.Relief.NeedImages
}

// shortfall is what the plan said, or what the disks lack that it did not foresee.
func shortfall(p *plan.Plan, left *filesystem.Pressure, reached bool) *cause.Cause {
	if reached {
		return nil
	}
	if p.Relief.Shortfall != nil {
		return p.Relief.Shortfall
	}
	parts := cause.Parts{Bytes: max(0, left.FreeBytes)}
	for _, f := range left.FileSystems {
		if f.NeedBytes > 0 || f.NeedInodes > 0 {
			parts.Path, parts.Bytes, parts.Inodes = f.String(), f.NeedBytes, f.NeedInodes
			break
		}
	}
	why := cause.Because(cause.CodeShort, parts)
	return &why
}

// end ends the graces that a plan ends first, and returns a plan of the rest.
func (r *rounds) end(ctx context.Context, p *plan.Plan) (*plan.Plan, error) {
	dropped := p.Relief.Dropped
	if len(dropped) == 0 || refused(p) {
		return p, nil
	}
	now := r.opts.Now()
	runs, err := undo.Runs(ctx, r.store, now, r.opts.Reading())
	if err != nil {
		return nil, err
	}
	var freed int64
	for _, run := range runs {
		if !slices.Contains(dropped, run.Name) {
			continue
		}
		d, err := undo.Drop(ctx, r.store, run, r.opts)
		if err != nil {
			return nil, fmt.Errorf("ending the grace of run %s: %w", run.Name, err)
		}
		r.result.Dropped.Add(d.Reclaimed)
		freed = inventory.Saturate(freed, d.Reclaimed.TotalBytes+d.Garbage.TotalBytes)
	}
	left, err := r.settle(ctx, p, freed)
	if err != nil {
		return nil, err
	}
	return r.again(ctx, p, left)
}

// again plans for what is left to be freed.
func (r *rounds) again(ctx context.Context, p *plan.Plan, left *filesystem.Pressure) (*plan.Plan, error) {
	policy := p.Policy.Widened()
	policy.Pressure = left
	return flow.ReadPlan(ctx, r.store, policy, r.opts.Now(), r.opts.Reading())
}

// settle waits until the disks have given back what a plan frees, or what has to be
// freed, and returns what is left to be.
func (r *rounds) settle(ctx context.Context, p *plan.Plan, freed int64) (*filesystem.Pressure, error) {
	left := *p.Policy.Pressure
	if left.FreeBytes > 0 {
		left.FreeBytes = max(0, left.FreeBytes-freed)
	}
	var err error
	for waited := time.Duration(0); ; waited += lookAgain {
		if left.FileSystems, err = r.looker.Again(p.Policy.Pressure.FileSystems); err != nil {
			return nil, err
		}
		if over(ctx) || waited >= settling || given(p, left.FileSystems) {
			return &left, nil
		}
		r.wait(ctx, lookAgain)
	}
}

// refused says whether a run of the plan will remove nothing.
func refused(p *plan.Plan) bool { return p.Fuse != nil }

// over says whether nobody waits any longer.
func over(ctx context.Context) bool { return ctx.Err() != nil }

// given says whether each file system has what was to go there at least.
func given(p *plan.Plan, now []filesystem.FileSystem) bool {
	for i, before := range p.Relief.Disks {
		if before.Unseen != "" {
			continue
		}
		bytes, inodes := min(before.NeedBytes, before.FreesBytes), min(before.NeedInodes, before.FreesInodes)
		if now[i].AvailableBytes-before.AvailableBytes < bytes || now[i].FreeInodes-before.FreeInodes < inodes {
			return false
		}
	}
	return true
}
