package rules

import (
	"cmp"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Judge decides about the records of one namespace.
type Judge struct {
	View
	policy       Policy
	now          time.Time
	version      gc.Release
	snapshotters []string
	whole        bool // units go whole or stay whole, with their siblings
	// leased are the records that live leases hold, with one such lease.
	leased   map[string]string
	ties     *ties
	Verdicts map[string]*Verdict
	// order are the units by the names of their first records.
	order []*Unit
	// subjects are for units that are about others the first of these; ringed
	// are the units that belong to themselves in the end.
	subjects map[*Unit]*Unit
	ringed   map[*Unit]bool
	// siblings are known where units go whole, pins are why units are pinned.
	siblings map[*Unit]*siblings
	pins     map[*Unit]cause.Cause
	// byName are the units of which it is known whether they stay by a name.
	byName map[*Unit]bool
	// lineage is how the units belong together, retained what a policy file says of
	// each record.
	lineage *Lineage
	// following is what stays because of what stays.
	following *Following
	retained  map[*images.Image]retention.Verdict
}

// Verdict is the decision about a record while it is being made.
type Verdict struct {
	*Decision
	// firm verdicts do not change, whatever the record belongs to.
	firm bool
	// doomed records are removed by any collection.
	doomed bool
}

// View is a namespace as decisions about it see it.
type View struct {
	*Catalog
	Usage usage
}

// NewView prepares a namespace for decisions about it.
func NewView(ns *inventory.Namespace, store store.StoreInfo) View {
	c := NewCatalog(ns, gc.ParseVersion(store.Version))
	return View{Catalog: c, Usage: Resolve(c, ns.Uses)}
}

// Decide gives every record of a namespace an action and a reason.
func Decide(v View, policy Policy, st store.StoreInfo, now time.Time) []Decision {
	return newJudge(v, policy, st, now).decide()
}

func newJudge(v View, policy Policy, st store.StoreInfo, now time.Time) *Judge {
	ns := v.ns
	j := &Judge{
		View: v, policy: policy, now: now,
		version:      gc.ParseVersion(st.Version),
		snapshotters: st.Snapshotters,
		whole:        ns.Name == store.CRINamespace,
		leased:       leased(ns, gc.ParseVersion(st.Version), now),
		ties:         newTies(ns, st, policy.Run, now),
		Verdicts:     make(map[string]*Verdict, len(ns.Images)),
		pins:         make(map[*Unit]cause.Cause),
		byName:       make(map[*Unit]bool),
	}
	if j.whole {
		j.siblings = v.siblingsOf()
	}
	for i := range ns.Images {
		if u := j.Units[ns.Images[i].Target.Digest]; u.Records[0].Name == ns.Images[i].Name {
			j.order = append(j.order, u)
		}
	}
	j.belong()
	j.retain()
	j.settleGuesses()
	return j
}

// decide decides about all records, in their order.
func (j *Judge) decide() []Decision {
	ns := j.ns
	decisions := make([]Decision, len(ns.Images))
	for i := range ns.Images {
		image := &ns.Images[i]
		v := j.alone(j.Units[image.Target.Digest], image, j.policy)
		decisions[i], v.Decision = *v.Decision, &decisions[i] // one copy of each
		j.Verdicts[image.Name] = v
	}
	j.follow()
	for _, u := range j.order {
		if j.whole {
			j.keepWhole(j.siblings[u])
		} else {
			j.keepLast(u)
		}
	}
	last := j.lastUses()
	for i, image := range ns.Images {
		decisions[i] = *j.Verdicts[image.Name].Decision
		decisions[i].Cause = decisions[i].Told()
		decisions[i].LastUse = last(image.Target.Digest)
		j.hint(&decisions[i])
	}
	return decisions
}

// alone decides about a record by its own uses, labels and filters.
func (j *Judge) alone(u *Unit, record *images.Image, policy Policy) *Verdict {
	if j.ties.doomed(record) {
		return j.expired(u, record)
	}
	if why := j.protected(u, record); why.Given() {
		return j.Verdict(record, Keep, why, true)
	}
	v := j.Verdict(record, Remove, cause.Cause{ReasonCode: cause.CodeUnused}, false)
	// Before the filters: what is not of the selection stays, also where its
	// subject goes.
	if s := policy.Selection; s != nil {
		if why := s.reject(*v.Decision); why.Given() {
			return j.Verdict(record, Keep, why, true)
		}
	}
	sub := j.subject(u, record)
	if match := policy.filtersOf(j.ns.Name).Match(sub, j.now); !match.Match {
		return j.Verdict(record, Keep, cause.Unmatched(match), false)
	}
	if policy.Retention != nil {
		said := j.retained[record]
		if said.Keep {
			return j.Verdict(record, Keep, said.Cause, false)
		}
		v.Cause = said.Cause
	} else if sub.Dangling {
		v.ReasonCode = cause.CodeDangling
	}
	return v
}

// expired decides about a record that any garbage collection removes. Outside
// of k8s.io a stand-in can take its place. Where it must stay it is said to: a
// plan is not executed whose collection would break that.
func (j *Judge) expired(u *Unit, record *images.Image) *Verdict {
	shut := Closed(j.ns).Given()
	why := cmp.Or(labelledRoot(record), j.pinned(u))
	if holders := j.Usage.holders(u.Target); !why.Given() && !shut && j.whole && len(holders) > 0 {
		why = cause.UsedBy(cause.CodeInUse, holders)
	}
	if why.Given() {
		return j.Verdict(record, Keep, why, true)
	}
	v := j.Verdict(record, Remove, cause.Cause{ReasonCode: cause.CodeExpired}, false)
	v.doomed, v.Collected = true, shut
	return v
}

// Verdict makes a verdict on a record.
func (j *Judge) Verdict(record *images.Image, action Action, why cause.Cause, firm bool) *Verdict {
	return &Verdict{firm: firm, Decision: &Decision{
		Namespace: j.ns.Name, Name: record.Name, Target: record.Target, Action: action, Cause: why, Image: record,
	}}
}

// protected says what keeps a record whatever the filters say, if anything does.
func (j *Judge) protected(u *Unit, record *images.Image) cause.Cause {
	if why := Closed(j.ns); why.Given() {
		return why
	}
	if holders := j.Usage.Names[record.Name]; len(holders) > 0 {
		return cause.UsedBy(cause.CodeInUse, holders)
	}
	if id, ok := j.leased[record.Name]; ok {
		return cause.Because(cause.CodeLeaseHolds, cause.Parts{Lease: id})
	}
	if why := j.referred(record); why.Given() {
		return why
	}
	if why := cmp.Or(labelledRoot(record), j.pinned(u)); why.Given() {
		return why
	}
	if why, ok := j.ns.Unreadable[u.Target]; ok {
		return cause.Because(cause.CodeUnreadable, cause.Parts{Detail: why})
	}
	holders := j.Usage.holders(u.Target)
	if len(holders) == 0 {
		return cause.Cause{}
	}
	if j.whole || j.Usage.begun[u.Target] {
		return cause.UsedBy(cause.CodeInUse, holders)
	}
	if j.dangling(record) && !j.staysByName(u) {
		return cause.UsedBy(cause.CodeStandsIn, holders)
	}
	return cause.Cause{}
}

// referred says which root refers to a record by a label of the collector.
func (j *Judge) referred(record *images.Image) cause.Cause {
	if j.ties == nil {
		return cause.Cause{}
	}
	root, ok := j.ties.referred[record.Name]
	if !ok {
		return cause.Cause{}
	}
	k := j.ties.c.Keeper(root).In(j.ns.Name)
	return cause.Because(cause.CodeReferredBy, cause.Parts{Keeper: &k})
}

// labelledRoot says that a record itself is labelled as a root. The collector has no
// use for the label there; who sets it wants the record kept.
func labelledRoot(record *images.Image) cause.Cause {
	if key := rootLabel(record); key != "" {
		return cause.Because(cause.CodeRootLabel, cause.Parts{Label: key})
	}
	return cause.Cause{}
}

func (j *Judge) dangling(record *images.Image) bool {
	_, probe := record.Labels[inventory.LabelProbe]
	return probe || Dangling(record.Name, j.snapshotters, j.policy.DanglingPrefixes)
}

// pinned says that of each unit, once: units may have many names.
func (j *Judge) pinned(u *Unit) cause.Cause {
	why, known := j.pins[u]
	if !known {
		why = Pinned(u)
		j.pins[u] = why
	}
	return why
}
