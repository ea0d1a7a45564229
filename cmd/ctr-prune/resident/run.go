package resident

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/resident/history"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/rounds"
	"github.com/ctr-prune/ctr-prune/prune"
)

// What triggers a run.
const (
	triggerStartup  = "startup"
	triggerSchedule = "schedule"
	triggerManual   = "signal"
	triggerPressure = "pressure"
)

// How a run ends.
const (
	resultDone        = "done"
	resultNothing     = "nothing"
	resultPlanned     = "planned"
	resultFailed      = "failed"
	resultBusy        = "busy"
	resultRefused     = "refused"
	resultInterrupted = "interrupted"
)

// order is what a run is to do.
type order struct {
	trigger string
	policy  prune.Policy
	grace   time.Duration
	dry     bool
	conn    *connection
	procfs  prune.Procfs
}

// outcome is what came of it.
type outcome struct {
	order
	name           string
	result         string
	started, ended time.Time
	// doc is the report, or the plan of a dry run; nil if it did not come to one.
	doc *prune.Document
	// rounds are those of a run under pressure, of which doc is the report as a whole.
	// Reached says that they freed enough, and short what is missing if not.
	rounds  *rounds.Summary
	reached bool
	short   string

	err error
}

// start begins a run.
func (r *Resident) start(ctx context.Context, trigger string) {
	o := order{trigger: trigger, policy: r.policy(), dry: r.o.DryRun, conn: r.conn, procfs: r.procfs()}
	switch trigger {
	case triggerStartup:
		// What killed runs have left is finished, wherever that is. Nothing else is
		// done: the zero policy keeps everything.
		o.policy = prune.Policy{AllNamespaces: true, Retention: &prune.Retention{}, Filters: o.policy.Filters}
	case triggerSchedule:
		o.grace = r.conf.Serve.Grace.Length
		r.scheduled = r.o.Now().Round(0) // by the time of day
	case triggerManual:
		o.grace = r.conf.Serve.Grace.Length
		r.manual = false
	case triggerPressure:
		o.policy.Pressure = r.disks.now
	}
	r.do(ctx, "a run ("+trigger+")", func(running context.Context) func() {
		done := r.run(running, o)
		return func() { r.ran(ctx, done) }
	})
}

// policy is that of a run that begins now.
func (r *Resident) policy() prune.Policy {
	p := r.o.policy(r.conf)
	p.LastUse = r.recorder.View()
	return p
}

// run is the flow of the library, from the store to a report.
func (r *Resident) run(ctx context.Context, o order) *outcome {
	out := &outcome{order: o, started: r.o.Now()}
	defer func() { out.finish(r.o.Now()) }()
	reading := prune.ReadOptions{Sources: o.conn.sources, Procfs: o.procfs, OnlyGoing: !o.dry}
	plan, err := prune.ReadPlan(ctx, o.conn.store, o.policy, out.started, reading)
	if err != nil {
		out.result, out.err = resultFailed, err
		return out
	}
	if o.dry || o.trigger == triggerStartup && len(plan.Interrupted()) == 0 || useless(plan) {
		out.planned(plan)
		return out
	}
	opts := prune.ExecuteOptions{Now: r.o.Now, Sources: o.conn.sources, Procfs: o.procfs, Grace: o.grace, MaxStall: r.o.MaxStall}
	if o.trigger == triggerPressure {
		out.relieve(ctx, plan, opts)
		return out
	}
	report, err := prune.Execute(ctx, o.conn.store, plan, opts)
	out.executed(plan, documentOf(report), err)
	return out
}

// useless says that a plan under pressure frees nothing, so that no disk has to be
// looked at after it.
func useless(plan *prune.Plan) bool {
	return plan.Relief != nil && plan.Empty() && len(plan.Relief.Dropped) == 0
}

// planned is the outcome of a run that removes nothing.
func (o *outcome) planned(plan *prune.Plan) {
	doc := prune.PlanDocument(plan)
	o.doc, o.result = &doc, resultPlanned
	if plan.Empty() {
		o.result = resultNothing
	}
	if plan.Relief != nil {
		o.reached = plan.Relief.Reached
		if plan.Relief.Shortfall != nil {
			o.short = plan.Relief.Shortfall.Reason
		}
	}
}

// documentOf is a report for programs, nil if there is none.
func documentOf(report *prune.Report) *prune.Document {
	if report == nil {
		return nil
	}
	doc := prune.ReportDocument(report)
	return &doc
}

// executed takes over the report, nil if there is none.
func (o *outcome) executed(plan *prune.Plan, doc *prune.Document, err error) {
	o.doc, o.err = doc, err
	busy, isBusy := errors.AsType[*prune.Busy](err)
	switch {
	case isBusy:
		o.result, o.err = resultBusy, busy
	case doc == nil:
		o.result = resultFailed
	case plan.Fuse != nil:
		o.result, o.err = resultRefused, plan.Fuse
	case doc.Interrupted:
		o.result = resultInterrupted
	case len(doc.Errors) > 0:
		o.result = resultFailed
	case len(doc.Untagged)+len(doc.Aborted)+len(doc.Recovered) == 0 && doc.Reclaimed.TotalBytes == 0:
		o.result = resultNothing
	default:
		o.result = resultDone
	}
}

// finish names the run. One with a grace has a name already, by which it can be
// undone.
func (o *outcome) finish(now time.Time) {
	o.ended = now
	if o.doc != nil && o.doc.Grace != nil {
		o.name = o.doc.Grace.Run
		return
	}
	o.name = o.started.UTC().Format("20060102-150405-") + strings.ToLower(rand.Text()[:6])
}

// ran takes over the outcome of a run.
func (r *Resident) ran(ctx context.Context, out *outcome) {
	now := r.o.Now()
	if out.trigger == triggerStartup {
		r.recovered = out.result != resultFailed || !silent(out.err)
	}
	if out.err == nil || out.doc != nil && out.doc.Measured {
		r.answered()
	}
	if out.worthTelling() {
		r.tell(out)
	}
	if out.err != nil && silent(out.err) && ctx.Err() == nil {
		r.lost(out.err)
	}
	if out.trigger == triggerPressure {
		r.relieved(out, now)
	}
	r.plan(out.trigger, out.result, now)
	if out.doc != nil && len(out.doc.Untagged) > 0 {
		r.surveyAt = now
	}
}

// worthTelling is false for a start at which no killed run was found, or nothing
// answered, which is told otherwise, and where nothing had to be freed after all.
func (o *outcome) worthTelling() bool {
	if o.trigger == triggerPressure && o.result == resultNothing && o.reached {
		return false
	}
	return o.trigger != triggerStartup || o.result != resultNothing && (o.err == nil || !silent(o.err))
}

// plan decides when the next scheduled run begins. One that could not be done is
// tried again before its time.
func (r *Resident) plan(trigger, result string, now time.Time) {
	if trigger != triggerSchedule {
		return
	}
	r.runAt = r.conf.schedule.Next(r.scheduled, now)
	switch result {
	case resultFailed, resultBusy:
		r.retryAt = now.Add(r.retryWait.wait())
		if !r.runAt.IsZero() && r.runAt.Before(r.retryAt) {
			r.retryAt = time.Time{}
		}
	default:
		r.retryAt = time.Time{}
		r.retryWait.reset()
	}
}

// survey reads the whole store for the metrics.
func (r *Resident) survey(ctx context.Context) {
	policy, conn, procfs := r.policy(), r.conn, r.procfs()
	r.do(ctx, "reading the store", func(reading context.Context) func() {
		now := r.o.Now()
		plan, err := prune.ReadPlan(reading, conn.store, policy, now, prune.ReadOptions{Sources: conn.sources, Procfs: procfs, AllSizes: true})
		if err == nil {
			r.o.Metrics.Looked(prune.Usage(plan, false), plan)
		}
		return func() { r.surveyed(ctx, err) }
	})
}

func (r *Resident) surveyed(ctx context.Context, err error) {
	now := r.o.Now()
	r.surveyAt = now.Add(surveyEvery)
	r.disks.limits = true
	switch {
	case err == nil:
		r.answered()
		r.lookAt = now.Add(lookEvery)
	case ctx.Err() != nil:
	case silent(err):
		r.lost(err)
	default:
		r.o.Log.Error("the store cannot be read", "error", err)
	}
}

// entry is the run for the history.
func (o *outcome) entry() history.Entry {
	e := history.Entry{Run: o.name, Trigger: o.trigger, Result: o.result, Started: o.started, Ended: o.ended, Pressure: o.rounds, Document: o.doc}
	if o.err != nil {
		e.Error = o.err.Error()
	}
	return e
}
