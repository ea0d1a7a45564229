package model

import (
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// policy is any that the command line can say.
func (m *machine) policy() prune.Policy {
	m.t.Helper()
	opts := filters.Options{All: !oneIn(m.t, 4, "dangling only")}
	if oneIn(m.t, 4, "until") {
		opts.Until = []string{pick(m.t, []string{"10m", "2h", "3d"}, "age")}
	}
	if oneIn(m.t, 3, "filter") {
		opts.Filters = []string{pick(m.t, []string{
			"label=team", "label=team=red", "label!=team=blue", "reference=app", "reference=*:1", "reference!=web", "reference!=*/team/*",
		}, "filter")}
	}
	set, err := filters.Parse(opts, time.Now())
	m.must(err)
	p := prune.Policy{Filters: set, AllNamespaces: oneIn(m.t, 2, "all namespaces")}
	if !p.AllNamespaces {
		there := m.namespaces(m.store)
		for range 1 + uniform(m.t, 2, "more") {
			if len(there) > 0 {
				p.Namespaces = append(p.Namespaces, pick(m.t, there, "namespace"))
			}
		}
	}
	if oneIn(m.t, 4, "uploads") {
		p.IngestAge = pick(m.t, []time.Duration{time.Minute, 24 * time.Hour}, "older than")
	}
	return p
}

// everything is the policy of -a everywhere.
func everything() prune.Policy {
	return prune.Policy{AllNamespaces: true, Filters: filters.Everything()}
}

// run is one execution of a plan, with the store as it was before it.
type run struct {
	m      *machine
	policy prune.Policy
	store  *watched
	opts   prune.ExecuteOptions
	plan   *prune.Plan
	// planned is the store as it was when the plan was made, before when the run
	// began.
	planned, before *oracle.State
	report          *prune.Report
	err             error
}

// newRun plans a run. It is over the store in transactions or, as over a
// daemon, without.
func (m *machine) newRun() *run {
	m.t.Helper()
	return m.newRunOf(m.policy(), oneIn(m.t, 2, "as a daemon"))
}

func (m *machine) newRunOf(policy prune.Policy, daemon bool) *run {
	m.t.Helper()
	r := &run{
		m: m, policy: policy, store: &watched{Store: m.store, m: m, daemon: daemon}, before: m.capture(),
		opts: prune.ExecuteOptions{Now: time.Now, Procfs: m.procfs(), Finish: 2 * time.Hour, Sources: m.sources},
	}
	if daemon && oneIn(m.t, 2, "in small slices") {
		r.opts.MaxStall = time.Nanosecond
	}
	r.planned = r.before
	r.plan = m.planOver(r.store, policy)
	return r
}

// planOver reads a store and plans.
func (m *machine) planOver(store prune.Store, policy prune.Policy) *prune.Plan {
	m.t.Helper()
	now := time.Now()
	plan, err := prune.ReadPlan(m.ctx, store, policy, now, prune.ReadOptions{Procfs: m.procfs(), Sources: m.sources})
	m.must(err)
	inv := plan.Inventory
	m.everyRecordOnce(inv, policy, plan)
	again, err := prune.NewPlan(inv, policy, now)
	m.must(err)
	if !reflect.DeepEqual(prune.PlanDocument(plan), prune.PlanDocument(again)) {
		m.errorf("the same inventory, policy and time gave two plans: %s\nand %s", describe(plan), describe(again))
	}
	return plan
}

// execute does the plan with trouble at the call of that number, if any.
func (r *run) execute(ctx context.Context, at int, event func() error) {
	r.store.calls, r.store.at, r.store.event = 0, at, event
	r.report, r.err = prune.Execute(ctx, r.store, r.plan, r.opts)
	r.m.tally.add("calls watched", r.store.calls)
	r.m.tally.add("deletions watched", r.store.deletes)
	for _, what := range r.store.found {
		r.m.errorf("I7: %s", what)
	}
}

// prune is an undisturbed run.
func (m *machine) prune() bool {
	r := m.newRun()
	if r.plan.Empty() {
		return false
	}
	r.execute(m.ctx, 0, nil)
	r.finished()
	r.undisturbed()
	return true
}

// pruneThroughCollections is a run in which containerd collects at some call.
func (m *machine) pruneThroughCollections() bool {
	m.must(m.in("default").Collect(m.ctx)) // what is garbage may go at any moment
	r := m.newRunOf(m.policy(), true)
	if r.plan.Empty() {
		return false
	}
	there := m.capture()
	at := 1 + uniform(m.t, 150, "collects at")
	r.execute(m.ctx, at, func() error { r.store.collectNow(there); return nil })
	r.finished()
	return true
}

// pruneWithGrace is a run that can be undone.
func (m *machine) pruneWithGrace() bool {
	r := m.newRun()
	if r.plan.Empty() {
		return false
	}
	r.opts.Grace = pick(m.t, []time.Duration{2 * time.Hour, 48 * time.Hour}, "grace")
	r.execute(m.ctx, 0, nil)
	r.finished()
	if len(r.report.Untagged) > 0 && r.report.Reclaimed != (prune.Amount{}) {
		m.errorf("I2: a run with a grace reclaimed %+v", r.report.Reclaimed)
	}
	r.keepsGrace()
	return true
}

// meanwhile lets a client go on.
func (m *machine) meanwhile() bool {
	time.Sleep(time.Millisecond) // what is written again can be told from what was there
	return pick(m.t, []func() bool{
		m.pull, m.tag, m.untag, m.run, m.pin, m.takeLease, m.removeContainer, m.build, m.dropLease, m.tie, m.refer, m.importBundle, m.waitABit,
	}, "meanwhile")()
}

// pruneStale executes a plan after a client has gone on.
func (m *machine) pruneStale() bool {
	r := m.newRun()
	if r.plan.Empty() {
		return false
	}
	if !m.meanwhile() {
		return false
	}
	m.rootAdded = false
	r.before = m.capture()
	r.execute(m.ctx, 0, nil)
	if r.declined() {
		r.unchanged("I14: a run that was declined")
		return true
	}
	r.finished()
	return true
}

// interrupt stops a run at some call, as a signal does.
func (m *machine) interrupt() bool {
	r := m.newRun()
	if r.plan.Empty() {
		return false
	}
	ctx, cancel := context.WithCancel(m.ctx)
	defer cancel()
	r.execute(ctx, 1+uniform(m.t, 120, "interrupted at"), func() error { cancel(); return nil })
	if r.report == nil || errors.Is(r.err, context.Canceled) {
		if len(r.plan.Interrupted()) == 0 {
			r.unchanged("I8: interrupted before it began")
		}
		m.noHarm("a run that was interrupted early", r.before, m.capture())
		return true
	}
	r.finished()
	if !r.report.Interrupted {
		r.undisturbed()
	}
	return true
}

// failToRead is a store that answers one call of a reading with an error.
func (m *machine) failToRead() bool {
	before := m.capture()
	w := &watched{Store: m.store, m: m, daemon: true, at: 1 + uniform(m.t, 40, "fails at"), event: func() error { return errKilled }}
	inv, err := prune.Read(m.ctx, w, everything().Scope(), time.Now(), prune.ReadOptions{Procfs: m.procfs()})
	if w.down != nil && (err == nil || inv != nil) {
		m.errorf("I8: a reading that failed gave %v, %v", inv, err)
	}
	m.same("I8: a reading that failed", before, m.capture())
	return true
}
