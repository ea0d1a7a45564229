package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// planFile is what `ctr-prune plan` wrote, and what it names.
type planFile struct {
	doc   []byte
	names map[recordKey]prune.ImageDocument
}

// mostPlans is how many plan files wait at most.
const mostPlans = 3

// writePlan writes a plan to be applied some steps later.
func (m *machine) writePlan() bool {
	policy := m.policy()
	if oneIn(m.t, 2, "all") {
		policy = everything()
	}
	doc := prune.PlanDocument(m.planOver(m.store, policy))
	if doc.Counts.Remove+doc.Counts.StandIn == 0 {
		return false
	}
	f := planFile{names: map[recordKey]prune.ImageDocument{}}
	for _, image := range doc.Images {
		if image.Action != prune.Keep {
			f.names[recordKey{image.Namespace, image.Name}] = image
		}
	}
	var err error
	f.doc, err = json.MarshalIndent(doc, "", "  ")
	m.must(err)
	if m.plans = append(m.plans, f); len(m.plans) > mostPlans {
		m.plans = m.plans[1:]
	}
	return true
}

func (f planFile) selection(m *machine) *prune.Selection {
	m.t.Helper()
	s, err := prune.ParseSelection(bytes.NewReader(f.doc))
	m.must(err)
	return s
}

// applyPlan does a plan that was written some steps ago, or less. It stays:
// somebody may apply it again.
func (m *machine) applyPlan() bool {
	if len(m.plans) == 0 {
		return false
	}
	f := pick(m.t, m.plans, "plan")
	r := m.newRunOf(f.selection(m).Policy(), oneIn(m.t, 2, "as a daemon"))
	r.onlyNamed(f)
	if r.plan.Empty() {
		m.tally.add("plans with nothing left to do", 1)
		return true
	}
	r.execute(m.ctx, 0, nil)
	r.finished()
	r.undisturbed()
	m.tally.add("records untagged by plan files", len(r.report.Untagged))
	r.appliedAgain(f)
	return true
}

// planAndApply writes a plan, lets clients go on, and applies it.
func (m *machine) planAndApply() bool {
	m.stock()
	if !m.writePlan() {
		return false
	}
	for range uniform(m.t, 4, "others") {
		m.meanwhile()
	}
	m.rootAdded = false
	m.plans = m.plans[len(m.plans)-1:]
	return m.applyPlan()
}

// onlyNamed compares the plan with the file that it was made from: what goes is
// named there and as it was, and all else that is named is told of.
func (r *run) onlyNamed(f planFile) {
	m := r.m
	m.t.Helper()
	stays := map[recordKey]prune.Cause{}
	for _, s := range r.plan.Dropped() {
		if _, twice := stays[recordKey{s.Namespace, s.Name}]; twice || s.Reason == "" {
			m.errorf("apply: %+v is told twice or without a reason", s)
		}
		stays[recordKey{s.Namespace, s.Name}] = s.Cause
	}
	for _, d := range going(r.plan) {
		key := recordKey{d.Namespace, d.Name}
		if why := r.notAsNamed(f, key); why != "" {
			m.errorf("apply: %s in %s goes: %s", d.Name, d.Namespace, why)
		}
		if why, told := stays[key]; told {
			m.errorf("apply: %s in %s goes, but is said to stay: %s", d.Name, d.Namespace, why.Reason)
		}
		stays[key] = goes
	}
	unused := map[recordKey]bool{}
	for _, d := range going(m.planOver(m.store, everything())) {
		unused[recordKey{d.Namespace, d.Name}] = true
	}
	for key, named := range f.names {
		staying, told := stays[key]
		if !told {
			m.errorf("apply: of %s in %s nothing is told", key.name, key.ns)
		}
		why := r.changedSince(named)
		if told && staying != goes && why == "" && unused[key] && !belongs[staying.ReasonCode] {
			m.errorf("apply: %s in %s is as it was and unused, but stays: %s", key.name, key.ns, staying.Reason)
		}
		if why != "" {
			m.tally.add("records of plan files that "+why, 1)
		}
	}
}

// notAsNamed says why a plan may not remove a record by a file, "" if it may. What
// any collection takes goes at the end, whoever named what.
func (r *run) notAsNamed(f planFile, key recordKey) string {
	if slices.Contains(r.before.Collectible()[key.ns], key.name) {
		return ""
	}
	named, ok := f.names[key]
	if !ok {
		return "it is not named"
	}
	return r.changedSince(named)
}

// belongs are the codes of what stays because another record does, which is not
// named or has changed.
var belongs = map[prune.Code]bool{
	"belongs-to": true, "part-of": true, "keeps-alive": true, "referred-by-image": true, "kept-together": true,
	"unreadable": true, "content-held": true,
}

// goes stands for what is removed.
var goes = prune.Cause{ReasonCode: "goes"}

// changedSince says what has become of a record since the plan was written,
// before anything that the rules would say; "" if it is as it was.
func (r *run) changedSince(was prune.ImageDocument) string {
	now, there := r.before.Namespaces[was.Namespace].Images[was.Name]
	switch {
	case !there:
		return "are gone"
	case now.Target.Digest != was.Target:
		return "were moved"
	case !now.UpdatedAt.Equal(was.UpdatedAt) || !now.CreatedAt.Equal(was.CreatedAt):
		return "were written again"
	default:
		return ""
	}
}

// appliedAgain does nothing.
func (r *run) appliedAgain(f planFile) {
	m := r.m
	m.t.Helper()
	again := m.newRunOf(f.selection(m).Policy(), r.store.daemon)
	again.onlyNamed(f)
	if n := len(going(again.plan)); n > 0 {
		m.errorf("apply: again, %d records would go: %s", n, describe(again.plan))
	}
}

// applyElsewhere takes a plan to a store for which it is not: a copy, with the
// same records, and one in which there is nothing.
func (m *machine) applyElsewhere() bool {
	if len(m.plans) == 0 {
		return false
	}
	f, from := pick(m.t, m.plans, "plan"), m.root
	if oneIn(m.t, 3, "an empty store") {
		from = m.empty
	}
	root := filepath.Join(m.dir, m.next("elsewhere"))
	m.must(copyTree(from, root))
	store, err := prune.OpenRoot(m.ctx, root)
	m.must(err)
	defer func() { m.must(store.Close()) }()
	_, err = prune.ReadPlan(m.ctx, store, f.selection(m).Policy(), time.Now(), prune.ReadOptions{Procfs: m.procfs()})
	if refused := (*prune.PolicyError)(nil); !errors.As(err, &refused) {
		m.errorf("apply: a plan of another store is not refused: %v", err)
	}
	return true
}
